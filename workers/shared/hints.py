"""The job message: a hint that names tasks and carries nothing else.

``[1, x, ns, ep, [task id, ...]]`` with 1 to 1,000 ids; ``["@"]`` is the advance. Every field has a
fixed form, and what does not have it is dropped unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.layout import TaskId
from checkpoint_redis.replies import OutboxEntry

VERSION = 1
ADVANCE: str = TaskId.advance
MAX_TASKS = 1_000
Label = Callable[[str], str]
"""What the job of a task with that id is called by those who watch, '' = not known."""
_X = re.compile(r"[a-z2-7]{24}")
_NS = re.compile(r"[0-9a-f]{0,12}")
_EP = re.compile(r"[0-9a-f]{16}")
_TID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Hint:
    """What a job is asked to look at: tasks of the open superstep ``ep`` of a thread's frame."""

    x: str
    ns: str
    ep: str
    tids: tuple[str, ...]

    @property
    def is_advance(self) -> bool:
        """Whether it is the superstep that is to be reduced."""
        return self.tids == (ADVANCE,)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published, and where to; ``name`` is for those who watch, '' = none."""

    queue: str
    priority: int
    args: tuple[Any, ...]
    name: str = ""


def read(args: Any) -> Hint | None:
    """Return the hint in a message's arguments, None when they are not one."""
    match args:
        case [version, str(x), str(ns), str(ep), list(tids)] if version == VERSION:
            known = bool(_X.fullmatch(x) and _NS.fullmatch(ns) and _EP.fullmatch(ep))
            return Hint(x, ns, ep, tuple(tids)) if known and _are_ids(tids) else None
    return None


def _are_ids(tids: list[Any]) -> bool:
    if tids == [ADVANCE]:
        return True
    if not 1 <= len(tids) <= MAX_TASKS:
        return False
    return all(isinstance(tid, str) and _TID.fullmatch(tid) for tid in tids)


def arguments(x: str, ns: str, ep: str, tids: Sequence[str]) -> tuple[Any, ...]:
    """Return the arguments of a message, which ``read`` reads."""
    return (VERSION, x, ns, ep, [*tids])


def label(graph: str, node: str) -> str:
    """Return what the job of a task of that node is called."""
    return f"{graph}.{node}"


def nameless(_: str) -> str:
    """Return no label: nothing is known of the task."""
    return ""


def outgoing(
    x: str, entries: Iterable[OutboxEntry], called: Label = nameless
) -> Iterator[Outgoing]:
    """Yield the messages for ``entries`` of one thread, one task in each.

    ``called`` tells of those that have no name.
    """
    for entry in entries:
        asked = arguments(x, entry.ns, entry.ep, (entry.tid,))
        yield Outgoing(entry.queue, entry.priority, asked, entry.name or called(entry.tid))
