"""What tasks are that only ids tell of: for the log, and for who watches messages.

It is read from Redis, off the path of whoever waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import TaskState
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.readings import Header, TaskSeen
from distgraph.checkpoint.base.frames import path_of
from distgraph.errors import DistGraphError

from ..shared.functions import steps_to
from ..shared.hints import Hint, Label, label
from ..shared.inner import dispatched
from ..shared.served import Registry
from .telling import UNKNOWN, Subject


class TakenTask(NamedTuple):
    """A task that was taken from who held it: how it stands now, and whose attempt that was."""

    tid: str
    state: TaskState
    subject: Subject


class _Seen(NamedTuple):
    """A task at a glance, with its thread's key and header and the name of its frame."""

    x: str
    header: Header
    frame: str
    task: TaskSeen


def called(taken: Sequence[TakenTask]) -> Label:
    """Return what the jobs of those tasks are called."""
    known = {
        each.tid: label(each.subject.graph, each.subject.node)
        for each in taken
        if each.subject.node != UNKNOWN
    }
    return lambda tid: known.get(tid, "")


def taken_from(
    ledger: Ledger, registry: Registry, namespace: str, held: Sequence[Hint], *, given_back: bool
) -> Iterator[TakenTask]:
    """Yield whose attempts those were that were just taken from who ``held`` their tasks.

    ``given_back``: those attempts do not count. Nothing comes while Redis is away.
    """
    for seen in _seen(ledger, namespace, held):
        subject = _subject(registry, seen, given_back=given_back)
        yield TakenTask(seen.task.tid, seen.task.st, subject)


def names(
    ledger: Ledger, registry: Registry, namespace: str, hints: Sequence[Hint]
) -> dict[str, str]:
    """Return what the jobs of tasks are called, by id; without those that can't be read."""
    return {
        seen.task.tid: registry.common_wire()
        .of(seen.header.graph)
        .label_of(_graph(registry, seen), seen.task.blob)
        for seen in _seen(ledger, namespace, hints)
    }


def _seen(ledger: Ledger, namespace: str, hints: Sequence[Hint]) -> Iterator[_Seen]:
    """Yield the tasks of ``hints`` that are still there."""
    hints = [hint for hint in hints if hint.tids]
    if not hints:
        return
    threads = [Thread.from_x(namespace, hint.x) for hint in hints]
    headers = [commands.any_header(thread) for thread in threads]
    looks = [commands.tasks(t, h.ns, h.tids) for t, h in zip(threads, hints, strict=True)]
    within = [commands.frame_name(t, h.ns) for t, h in zip(threads, hints, strict=True) if h.ns]
    try:
        found = tuple(ledger.together(headers)), tuple(ledger.together(looks))
        frames = ledger.together(within)
        named = [next(frames) if hint.ns else "" for hint in hints]
    except DistGraphError:
        return
    for hint, frame, header, tasks in zip(hints, named, *found, strict=True):
        if header is not None:
            yield from (_Seen(hint.x, header, frame, task) for task in tasks)


def _subject(registry: Registry, seen: _Seen, *, given_back: bool) -> Subject:
    header, task = seen.header, seen.task
    begun_again = task.st is TaskState.running
    number = task.att - int(begun_again) + int(given_back)
    node = _node(registry, header.graph, task)
    graph = _graph(registry, seen)
    return Subject(graph, node, header.thread_id, seen.x, header.run, number, "")


def _graph(registry: Registry, seen: _Seen) -> str:
    """Return the name of the graph whose task was seen: the thread's, or one inside of that."""
    name, served = seen.header.graph, registry.get(seen.header.graph)
    if not seen.frame or served is None:
        return name
    with suppress(LookupError):  # of another version, for example
        inner = dispatched(steps_to(served, path_of(seen.frame))[-1].node)
        return inner.name if inner else name
    return name


def _node(registry: Registry, graph: str, task: TaskSeen) -> str:
    try:
        return registry.common_wire().of(graph).node_of(task.blob)
    except DistGraphError:  # of a class that is not known here, for example
        return UNKNOWN
