"""What is open inside of a thread's tasks: of graphs that are nodes, and of calls of functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from checkpoint_redis import commands, loading
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import TaskState
from checkpoint_redis.readings import Header, Loaded, OpenTask
from distgraph.effects import carry
from distgraph.errors import DistGraphError

from ..backend import CeleryBackend
from .screen import plain, table

LOOKED, SHOWN = 100, 20
"""So many graphs are looked at, and so many of their tasks are shown to people."""
WORDS: Final = {
    TaskState.queued: "queued",
    TaskState.running: "running",
    TaskState.backing_off: "backing off",
    TaskState.interrupted: "asking",
    TaskState.parked: "parked",
    TaskState.failed: "failed",
}


@dataclass(frozen=True, slots=True)
class InnerTask:
    """A task that is not done; ``namespace`` is its graph's, ``node`` '' where it is not known.

    ``step`` is that of the checkpoint from which it runs, None of a call, which has none.
    """

    namespace: str
    node: str
    state: str
    task: str
    step: int | None


def inner_tasks(backend: CeleryBackend, header: Header) -> list[InnerTask]:
    """Return what is open inside of the tasks that are, the outer graphs first.

    Of what is open in more than ``LOOKED`` graphs those that were looked at.
    """
    thread = backend.thread_key(header.thread_id)
    names = backend.ledger.call(commands.frames(thread)).values()
    return list(_found(backend, header, sorted(names, key=_depth))) if names else []


def _depth(name: str) -> tuple[int, str]:
    return name.count("|"), name


def _found(backend: CeleryBackend, header: Header, names: Sequence[str]) -> Iterator[InnerTask]:
    """Look at frames whose task is open, and at those that outlive theirs."""
    wire = backend.registry.common_wire().of(header.graph)
    around, looked = {task.tid for task in _open(_loaded(backend, header, ""))}, 0
    for frame in map(FrameName, names):
        if looked == LOOKED:
            return
        if frame.task and frame.task not in around:
            continue
        looked += 1
        loaded = _loaded(backend, header, frame.name)
        step = loaded.header.step if loaded and loaded.header.cp else None
        for task in _open(loaded):
            around.add(task.tid)
            node = ""
            with suppress(DistGraphError):  # it may have been sent what is of an unknown class
                node = wire.node_of(task.blob)
            yield InnerTask(frame.name, node, WORDS[task.st], task.tid, step)


def _loaded(backend: CeleryBackend, header: Header, name: str) -> Loaded | None:
    thread = backend.thread_key(header.thread_id)
    return carry(loading.load(thread, FrameName(name).hash), backend.ledger.call)


def _open(loaded: Loaded | None) -> list[OpenTask]:
    return [task for task in loaded.tasks if task.st is not TaskState.done] if loaded else []


def shown_inside(tasks: Sequence[InnerTask]) -> tuple[RenderableType, ...]:
    """Return what people read of them."""
    if not tasks:
        return ()
    listing = table("namespace", "step", "node", "state")
    for each in tasks[:SHOWN]:
        step = "-" if each.step is None else f"{each.step}"
        listing.add_row(plain(each.namespace), step, plain(each.node), each.state)
    rest = f"and {len(tasks) - SHOWN:,} others: see --json"
    more = (Text(rest),) if len(tasks) > SHOWN else ()
    return Text("inside", style="bold"), listing, *more
