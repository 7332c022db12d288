"""What tasks are that only ids tell of: for the log, and for who watches messages.

It is read from Redis, off the path of whoever waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import TaskState
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import Header, TaskSeen
from distgraph.errors import DistGraphError

from ..shared.hints import Hint, Label, label
from ..shared.served import Registry
from .telling import UNKNOWN, Subject


class TakenTask(NamedTuple):
    """A task that was taken from who held it: how it stands now, and whose attempt that was."""

    tid: str
    state: TaskState
    subject: Subject


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
    for x, header, task in _seen(ledger, namespace, held):
        subject = _subject(registry, x, header, task, given_back=given_back)
        yield TakenTask(task.tid, task.st, subject)


def names(
    ledger: Ledger, registry: Registry, namespace: str, hints: Sequence[Hint]
) -> dict[str, str]:
    """Return what the jobs of tasks are called, by id; without those that can't be read."""
    return {
        task.tid: registry.common_wire().of(header.graph).label_of(header.graph, task.blob)
        for _, header, task in _seen(ledger, namespace, hints)
    }


def _seen(
    ledger: Ledger, namespace: str, hints: Sequence[Hint]
) -> Iterator[tuple[str, Header, TaskSeen]]:
    """Yield the tasks of ``hints`` that are still there, with their threads' keys and headers."""
    hints = [hint for hint in hints if hint.tids]
    if not hints:
        return
    threads = [Thread.from_x(namespace, hint.x) for hint in hints]
    headers = [commands.any_header(thread) for thread in threads]
    looks = [commands.tasks(t, h.ns, h.tids) for t, h in zip(threads, hints, strict=True)]
    try:
        found = tuple(ledger.together(headers)), tuple(ledger.together(looks))
    except DistGraphError:
        return
    for hint, header, tasks in zip(hints, *found, strict=True):
        if header is not None:
            yield from ((hint.x, header, task) for task in tasks)


def _subject(
    registry: Registry, x: str, header: Header, task: TaskSeen, *, given_back: bool
) -> Subject:
    begun_again = task.st is TaskState.running
    number = task.att - int(begun_again) + int(given_back)
    node = _node(registry, header.graph, task)
    return Subject(header.graph, node, header.thread_id, x, header.run, number, "")


def _node(registry: Registry, graph: str, task: TaskSeen) -> str:
    try:
        return registry.common_wire().of(graph).node_of(task.blob)
    except DistGraphError:  # of a class that is not known here, for example
        return UNKNOWN
