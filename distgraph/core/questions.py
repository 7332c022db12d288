"""Which of a task's answers is for the question that it asks now.

A task that was answered runs again from its top and asks everything again. What it asks in one
lane comes in the same order, also when another lane is faster this time; so a question is known by
its branch and its number in that. A branch is a lane by name. One that has none is known by what it
asks first: the digest of that, and how many branches of this attempt began with the same before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from distgraph.core.model import Answer, Slot
from distgraph.core.plan import digest

Lane = tuple[Hashable, ...]
"""What of a task runs one after the other: the way to it, of names (text) and of who it is."""
HOME: Lane = ()
"""The lane of the node itself."""


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


@dataclass(slots=True)
class Inquiry:
    """What one attempt at a task has asked, and the answers that were taken for it."""

    _branches: dict[Lane, str] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _count: int = 0

    def slot(self, lane: Lane, seen: str) -> Slot:
        """Return where the next question of a lane stands; ``seen`` is the digest of its value."""
        branch = self._branches.get(lane)
        if branch is None:
            branch = self._branches[lane] = self._named(lane, seen)
        number, index = self._asked.get(branch, 0), self._count
        self._asked[branch], self._count = number + 1, index + 1
        return Slot(branch, number, seen, index)

    def _named(self, lane: Lane, seen: str) -> str:
        if all(isinstance(part, str) for part in lane):
            return "/".join(map(str, lane))
        alike = sum(branch.startswith(f"~{seen}.") for branch in self._asked)
        return f"~{seen}.{alike}"

    def take(self, slot: Slot, given: Iterable[Answer]) -> Answer | None:
        """Return the answer to the question at ``slot``, which no other one gets any more."""
        found = _answer_at(slot, [answer for answer in given if answer.id not in self._taken])
        if found is not None:
            self._taken.add(found.id)
        return found


def _answer_at(slot: Slot, given: list[Answer]) -> Answer | None:
    """Return the answer to what is asked at ``slot``.

    It is the one that was given there, or elsewhere in the branch, to an equal value. Where a
    branch has a name, its number tells the question, whatever it asks (LangGraph's rule).
    """
    branch = [answer for answer in given if answer.slot.branch == slot.branch]
    alike = [answer for answer in branch if answer.slot.digest == slot.digest]
    there = [answer for answer in branch if answer.slot.n == slot.n] if slot.is_named else []
    exact = [answer for answer in alike if answer.slot.n == slot.n]
    return next(iter([*exact, *alike, *there]), None)


def question_place(task: str, slot: Slot) -> str:
    """Return what tells a question of a task from the others of all its attempts."""
    return digest(task, slot.branch, str(slot.n))


def question_id(task: str, slot: Slot, token: str, given: Iterable[Answer]) -> str:
    """Return an id for a question that no other one of the task has, ``given`` its answers.

    While a question has no answer, all attempts of one ``token`` give it the same.
    """
    branch = (slot.branch,) if slot.branch else ()
    value = () if slot.is_named else (slot.digest,)
    answered = {answer.id for answer in given}
    parts = (task, *branch, str(slot.n), *value, token)
    while (found := digest(*parts)) in answered:
        parts = (*parts, "again")
    return found
