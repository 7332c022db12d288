"""The job message: a hint that names tasks and carries nothing else.

``[1, x, ns, ep, [task id, ...]]`` with 1 to 1,000 ids; ``["@"]`` is the advance. Every field has a
fixed form, and what does not have it is dropped unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.layout import TaskId
from checkpoint_redis.replies import OutboxEntry

VERSION = 1
ADVANCE: str = TaskId.advance
MAX_TASKS = 1_000
Label = Callable[[str], str]
"""What the job of a task with that id is called by those who watch, '' = not known."""
_X, _NS, _EP = "[a-z2-7]{24}", "(?:[0-9a-f]{16})?", "[0-9a-f]{16}"
_TID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIDS = rf"@|{_TID}(?:\|{_TID}){{0,{MAX_TASKS - 1}}}"
_FORM = re.compile(rf"{_X}\|{_NS}\|{_EP}\|(?:{_TIDS})")
"""Of all fields at once; none may have the sign between them."""
NOTHING_FOLLOWS: Mapping[str, None] = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))
"""What Celery is told to do after a job."""
_END = json.dumps(({}, NOTHING_FOLLOWS)).removeprefix("[")
_ARGS = rf'\[{VERSION}, "({_X})", "({_NS})", "({_EP})", \["(@|{_TID})"\]\]'
_BODY = re.compile(rf"\[{_ARGS}, {re.escape(_END)}".encode())


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
    try:
        version, x, ns, ep, tids = args
        fields = "|".join((x, ns, ep, *tids))
    except (TypeError, ValueError):
        return None
    known = version == VERSION and isinstance(tids, list) and _FORM.fullmatch(fields)
    return Hint(x, ns, ep, tuple(tids)) if known else None


def body(args: Sequence[Any]) -> str:
    """Return the body of a job's message, as Celery reads it."""
    return json.dumps((args, {}, NOTHING_FOLLOWS))


def read_body(body: Any) -> Hint | None:
    """Return the hint in the bytes that ``body`` makes of one task's, None for all others.

    Those may be hints all the same: this spares a worker the decoding of what it passes on.
    """
    found = _BODY.fullmatch(body) if isinstance(body, bytes) else None
    if found is None:
        return None
    x, ns, ep, tid = (field.decode() for field in found.groups())
    return Hint(x, ns, ep, (tid,))


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
