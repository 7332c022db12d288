"""Who in an attempt asks: the node itself, or a thread or a task of an event loop that it began."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar

from distgraph._loops import current_task
from distgraph.core.questions import HOME, Lane

_Here = tuple[int, Any]
"""The thread, by its identity, and the task of an event loop in which code runs."""
_NOWHERE: _Here = (0, None)


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """Marks a context of a thread; what was copied from the context runs in another thread."""

    lanes: TaskLanes
    thread: int


_branch: ContextVar[_Branch | None] = ContextVar("distgraph_branch", default=None)


@dataclass(slots=True, eq=False)
class TaskLanes:
    """The lanes of one attempt: threads, by their contexts, and tasks of event loops.

    A thread of a pool runs one thing after the other, each in a context of its own.
    """

    lock: ClassVar[threading.Lock] = threading.Lock()
    """One for all attempts: it is held for a moment, and most of them ask nothing."""
    _home: _Here = _NOWHERE

    def settle(self) -> None:
        """Take note that the node is called here."""
        self._home = _here()

    def lane(self) -> Lane:
        """Return the lane of the caller."""
        thread, task = here = _here()
        if here == self._home or _is_the_only_task(self._home, here):
            return HOME
        return (task or self._branch(thread),)

    def _branch(self, thread: int) -> _Branch:
        known = _branch.get()
        if known is not None and known.lanes is self and known.thread == thread:
            return known
        new = _Branch(self, thread)
        _branch.set(new)
        return new


def _here() -> _Here:
    return threading.get_ident(), current_task()


def _is_the_only_task(home: _Here, here: _Here) -> bool:
    """Whether a blocking node has a loop run one task, which is as good as itself."""
    if home[1] is not None or here[1] is None or here[0] != home[0]:
        return False
    from asyncio import all_tasks  # noqa: PLC0415 there is a task, so it is imported

    return all_tasks() == {here[1]}
