"""The graphs inside nodes: what a node is, what its function refers to, what it was seen to call.

A function may hold a graph as a variable, an attribute, an item, an argument that was bound to it,
or through another function of its own that it calls. Whatever it holds it by, and where it makes
the graph itself, a process that has called it once knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph, Node
from distgraph.graph.referred import actions, is_compiled, referred
from distgraph.runners.backend import Place
from distgraph.runners.frames import lasting

MOST_CALLED: Final = 64
"""Of a node that makes ever other graphs, the last so many are known."""


class Held(NamedTuple):
    """A graph that a node is or calls, and what it was compiled with as its checkpointer.

    ``compiled`` is the graph as its user has it; None where only a call was seen.
    """

    graph: Graph
    checkpointer: Any
    compiled: Any = None

    def place(self, place: Place) -> Place:
        """Return where the graph is kept of which a snapshot says that it is at ``place``."""
        if self.checkpointer is not True:
            return place
        return Place(place.thread_id, lasting(place.ns), place.checkpoint_id)


def graph_of(node: Node) -> Held | None:
    """Return the graph that a node is, None for a node that is something else."""
    owner: Any = getattr(node.callee.call or node.callee.acall, "__self__", None)
    return _held(owner) if not node.then and is_compiled(owner) else None


def graphs_in(node: Node) -> Iterator[Held]:
    """Yield the graphs that a node is, or that its function refers to."""
    if (own := graph_of(node)) is not None:
        yield own
        return
    for action in actions(node):
        if is_compiled(owner := getattr(action, "__self__", None)):
            yield _held(owner)
        for value in referred(action):
            if is_compiled(value):
                yield _held(value)


def known_in(node: Node) -> tuple[Held, ...]:
    """Return the graphs in a node: those that it was seen to call last first, then the others."""
    called: Iterable[Held] = reversed(node.called.values())
    found = {(held.graph.fingerprint, held.checkpointer is True): held for held in called}
    for held in graphs_in(node):
        found.setdefault((held.graph.fingerprint, held.checkpointer is True), held)
    return tuple(found.values())


def note_call(frame: TaskFrame, graph: Graph, checkpointer: Any) -> None:
    """Remember that the task of ``frame`` called ``graph``."""
    node = frame.graph.nodes.get(frame.task.origin.node) if frame.graph else None
    if node is None:
        return
    key = (graph.fingerprint, checkpointer is True)
    node.called.pop(key, None)
    node.called[key] = Held(graph, checkpointer)
    while len(node.called) > MOST_CALLED:
        node.called.pop(next(iter(node.called)))


def functions_in(node: Node) -> Iterator[Any]:
    """Yield the functions made by ``task`` that a node's function refers to."""
    found = (value for action in actions(node) for value in referred(action))
    for value in found:
        if isinstance(getattr(value, "node", None), Node):
            yield value


def _held(compiled: Any) -> Held:
    owner = getattr(compiled, "owner", compiled)
    return Held(compiled.graph, owner.checkpointer, compiled)
