"""Whose attempts were lost or handed over, where only messages and leases tell of them.

It is read from Redis, for the log and for who watches messages.
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
    held = [hint for hint in held if hint.tids]
    if not held:
        return
    threads = [Thread.from_x(namespace, hint.x) for hint in held]
    headers = [commands.any_header(thread) for thread in threads]
    looks = [commands.tasks(t, h.ns, h.tids) for t, h in zip(threads, held, strict=True)]
    try:
        found = tuple(ledger.together(headers)), tuple(ledger.together(looks))
    except DistGraphError:
        return
    for hint, header, tasks in zip(held, *found, strict=True):
        if header is None:
            continue
        for task in tasks:
            subject = _subject(registry, hint.x, header, task, given_back=given_back)
            yield TakenTask(task.tid, task.st, subject)


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
