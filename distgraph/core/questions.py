"""Which of a task's answers is for the question that it asks now.

A task that was answered runs again from its top and asks everything again. What it asks in one
lane comes in the same order, also when another lane is faster this time; so a question is known by
its branch and its number in that. A branch is a lane by name. One that has none is known by what it
asks first: the digest of that, and how many branches of this attempt began with the same before.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from distgraph.core.model import Answer, Slot
from distgraph.core.plan import digest

Lane = tuple[Hashable, ...]
"""What of a task runs one after the other: the way to it, of names (text) and of who it is."""
HOME: Lane = ()
"""The lane of the node itself."""
HOME_BRANCH = ""


class Lanes(Protocol):
    """The lanes of an attempt; several of them may ask at the same time."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Keeps the others from asking."""
        ...

    def settle(self) -> None:
        """Take note that the node is called here."""
        ...

    def lane(self) -> Lane:
        """Return the lane of the caller."""
        ...


class OneLane:
    """The lanes of what begins nothing beside itself."""

    lock = nullcontext()

    def settle(self) -> None:
        """Take note of nothing."""

    def lane(self) -> Lane:
        """Return the home of the task."""
        return HOME


class Inquiry:
    """What one attempt at a task asks; ``given`` are the answers to what others asked before."""

    def __init__(self, given: Collection[Answer]) -> None:
        self._free: dict[str, list[Answer]] = {}
        self._answered: set[str] = set()
        last = {answer.slot: answer for answer in given}  # what was refused is asked there again
        for answer in last.values():
            self._free.setdefault(answer.slot.branch, []).append(answer)
        self._answered.update(answer.id for answer in given)
        self._branches: dict[Lane, str] = {}
        self._alike: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._asked = 0

    def only(self, lane: Lane) -> Answer | None:
        """Return the answer that the next question of a lane gets whatever it asks, if any.

        It is the only one of the node itself, and was given at that place.
        """
        free = self._free.get(HOME_BRANCH, ()) if lane == HOME else ()
        if len(free) != 1 or free[0].slot.n != self._numbers.get(HOME_BRANCH, 0):
            return None
        (found,) = self._free.pop(HOME_BRANCH)
        _counted(self._numbers, HOME_BRANCH)
        self._asked += 1
        return found

    def slot(self, lane: Lane, seen: str) -> Slot:
        """Return where the next question of a lane stands; ``seen`` is the digest of its value."""
        branch = self._branches.get(lane)
        if branch is None:
            branch = self._branches[lane] = self._named(lane, seen)
        slot = Slot(branch, _counted(self._numbers, branch), seen, self._asked)
        self._asked += 1
        return slot

    def _named(self, lane: Lane, seen: str) -> str:
        if all(isinstance(part, str) for part in lane):
            return "/".join(map(str, lane))
        return f"~{seen}.{_counted(self._alike, seen)}"

    def take(self, slot: Slot) -> Answer | None:
        """Return the answer to the question at ``slot``, which no other one gets any more."""
        free = self._free.get(slot.branch, [])
        found = _answer_at(slot, free)
        self._free[slot.branch] = [answer for answer in free if answer is not found]
        return found

    def id(self, task: str, slot: Slot, token: str) -> str:
        """Return an id for the question at ``slot`` that no other one of the task has.

        While a question has no answer, all attempts of one ``token`` give it the same.
        """
        branch = (slot.branch,) if slot.branch else ()
        value = () if slot.is_named else (slot.digest,)
        parts = (task, *branch, str(slot.n), *value, token)
        while (found := digest(*parts)) in self._answered:
            parts = (*parts, "again")
        return found


def _counted(counts: dict[str, int], name: str) -> int:
    """Return how often ``name`` was counted before, and count it."""
    before = counts.get(name, 0)
    counts[name] = before + 1
    return before


def _answer_at(slot: Slot, branch: list[Answer]) -> Answer | None:
    """Return which answer of its ``branch`` is for what is asked at ``slot``.

    It is the one that was given there, or elsewhere in the branch, to an equal value. Where a
    branch has a name, its number tells the question, whatever it asks (LangGraph's rule).
    """
    alike = [answer for answer in branch if answer.slot.digest == slot.digest]
    there = [answer for answer in branch if answer.slot.n == slot.n] if slot.is_named else []
    exact = [answer for answer in alike if answer.slot.n == slot.n]
    return next(iter([*exact, *alike, *there]), None)


def question_place(task: str, slot: Slot) -> str:
    """Return what tells a question of a task from the others of all its attempts."""
    return digest(task, slot.branch, str(slot.n))
