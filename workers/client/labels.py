"""What jobs are called that go out again, as far as it follows from what a caller has read.

Scripts tell of a task its id alone. Nothing is asked of Redis for a name: it is for those who watch
messages.
"""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis.replies import Header, Loaded
from distgraph.core.graph import Graph
from distgraph.core.plan import pulled_id
from distgraph.errors import DistGraphError

from ..shared.hints import Label, label, nameless
from ..shared.wire import Wire


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where the jobs of a thread go: the queue of its graph, and what they are called."""

    queue: str
    called: Label = nameless


def recorded(wire: Wire, loaded: Loaded) -> Label:
    """Return what tasks are called whose records were read."""
    blobs = {task.tid: task.blob for task in loaded.tasks}

    def called(tid: str) -> str:
        try:
            return label(loaded.header.graph, wire.node_of(blobs[tid]))
        except (KeyError, DistGraphError):  # it is of a class that is not known here, for example
            return ""

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
