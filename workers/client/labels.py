"""What jobs are called that go out again: scripts tell of a task its id alone.

Most names follow from what a caller has read. For others the tasks' records are read: once, and
only where a name is wanted that nothing else tells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import Header, Loaded
from checkpoint_redis.replies import OutboxEntry
from distgraph.core.graph import Graph
from distgraph.core.plan import pulled_id
from distgraph.errors import DistGraphError

from ..shared.hints import ADVANCE, Label, Outgoing, label, nameless, outgoing
from ..shared.wire import Wire
from .effects import Effect, Together


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where the jobs of a thread of ``graph`` go, and what they are called.

    ``called`` knows what follows from what was read; ``wire`` reads the records of other tasks.
    """

    queue: str
    graph: str
    wire: Wire
    called: Label = nameless

    def messages(
        self, thread: Thread, hints: Sequence[OutboxEntry]
    ) -> Generator[Effect, Any, tuple[Outgoing, ...]]:
        """Return the messages of ``hints``; what can't be read for their names is left out."""
        names = {hint.tid: hint.name or self.called(hint.tid) for hint in hints}
        unknown = [h for h in hints if not names[h.tid] and h.tid != ADVANCE]
        if unknown:
            with suppress(DistGraphError):  # what is committed goes out all the same
                names |= yield from self._read(thread, unknown)
        return tuple(outgoing(thread.x, hints, names.__getitem__))

    def _read(
        self, thread: Thread, hints: Sequence[OutboxEntry]
    ) -> Generator[Effect, Any, dict[str, str]]:
        frames: dict[str, list[str]] = defaultdict(list)
        for hint in hints:
            frames[hint.ns].append(hint.tid)
        looks = [commands.tasks(thread, ns, tuple(tids)) for ns, tids in frames.items()]
        found = yield Together(tuple(looks))
        seen = (task for tasks in found for task in tasks)
        return {task.tid: self.wire.label_of(self.graph, task.blob) for task in seen}


def recorded(wire: Wire, loaded: Loaded) -> Label:
    """Return what tasks are called whose records were read."""
    blobs = {task.tid: task.blob for task in loaded.tasks}

    def called(tid: str) -> str:
        return wire.label_of(loaded.header.graph, blobs[tid]) if tid in blobs else ""

    return called


def derived(graph: Graph, header: Header) -> Label:
    """Return what tasks are called that run because their node was reached: their ids tell it.

    That of a Send depends on its place among them, which is in the checkpoint.
    """
    nodes: dict[str, str] = {}

    def called(tid: str) -> str:
        if not nodes:
            nodes.update(
                (pulled_id(header.cp, header.step, "", name), name) for name in graph.nodes
            )
        return label(graph.name, nodes[tid]) if tid in nodes else ""

    return called
