"""Find the graphs that the frames in a thread are of."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from distgraph.checkpoint.base.frames import path_of
from distgraph.core.graph import Graph, Node
from distgraph.core.model import GRAPH, ThreadState
from distgraph.graph.held import Held, functions_in, graphs_in, known_in
from distgraph.graph.referred import schemas_asked_in
from distgraph.runners.backend import Place


class Standing(NamedTuple):
    """A frame: where it is kept, and the graph that it is of."""

    place: Place
    graph: Graph

    def is_of(self, state: ThreadState) -> bool:
        """Whether ``state`` is that of a call of this graph."""
        return state.checkpoint.metadata.get(GRAPH) == self.graph.fingerprint


def stored_in(node: Node) -> tuple[Held, ...]:
    """Return the graphs in a node that are stored when the node calls them."""
    return tuple(held for held in known_in(node) if held.checkpointer is not False)


def holds_graph(node: Node) -> bool:
    """Whether a node has a graph inside that is stored when the node calls it."""
    return bool(stored_in(node))


def schemas_of(graph: Graph) -> tuple[Any, ...]:
    """Return the schemas of what ``graph`` stores: states, answers, and those inside nodes."""
    found: dict[int, Any] = {}
    todo: list[Any] = [graph]
    seen: set[int] = set()
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        found |= {id(schema): schema for schema in current.schema_types}
        nodes = current.nodes.values() if isinstance(current, Graph) else (current.node,)
        asked = (schema for node in nodes for schema in schemas_asked_in(node))
        found |= {id(schema): schema for schema in asked}
        todo += [held.graph for node in nodes for held in known_in(node)]
        todo += [function for node in nodes for function in functions_in(node)]
    return tuple(found.values())


def as_called(graph: Graph) -> Graph:
    """Return ``graph``, naming the schemas of the graphs that were called in it too."""
    if not any(_called_in(graph)):
        return graph
    return replace(graph, schema_types=schemas_of(graph))


def _called_in(graph: Graph) -> Iterator[Any]:
    return (node.called for node in graph.nodes.values())


def subgraphs_of(
    graph: Graph, namespace: str | None, *, recurse: bool, around: tuple[Graph, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield names and compiled graphs of what the nodes of ``graph`` are or refer to.

    ``namespace``: the one of that name alone, or none. ``recurse``: those inside them too, under
    names such as ``outer|inner``; a graph in itself is not gone into again.
    """
    inside = (*around, graph)
    for name, node in graph.nodes.items():
        first, _, rest = (namespace or name).partition("|")
        held = next(graphs_in(node), None)
        if name != first or held is None or held.graph in inside:
            continue
        if not rest:
            yield name, held.compiled
        if recurse and (rest or namespace is None):
            within = subgraphs_of(held.graph, rest or None, recurse=True, around=inside)
            yield from ((f"{name}|{inner}", found) for inner, found in within)


def look_up(
    root: Graph, place: Place
) -> Generator[Place, ThreadState | None, tuple[Standing, ThreadState] | None]:
    """Return the frame at a place inside of ``root``'s, None when it was never called.

    Asks for what is stored at places. Raises ValueError when there is no graph that it is of.
    """
    held = _held_at(root, place.ns)
    for where in dict.fromkeys(one.place(place) for one in held):
        state = yield where
        if state is not None:
            return _of(held, where, state), state
    return None


def _held_at(root: Graph, ns: str) -> tuple[Held, ...]:
    """Return the graphs that may be at ``ns``, found by the names of the nodes on the way."""
    found: tuple[Held, ...] = (Held(root, None),)
    for name in path_of(ns):
        nodes = [held.graph.nodes[name] for held in found if name in held.graph.nodes]
        if not nodes:
            raise not_found(ns)
        found = tuple(held for node in nodes for held in stored_in(node))
    if not found:
        raise _unseen(ns)
    return found


def _unseen(ns: str) -> ValueError:
    *_, node = path_of(ns)
    msg = (
        f"Subgraph {'|'.join(path_of(ns))} not found: node '{node}' refers to no such graph, and "
        "has called none in this process. To look into a graph that it calls from another process, "
        "let its function refer to it by a variable or an attribute."
    )
    return ValueError(msg)


def _of(held: tuple[Held, ...], place: Place, state: ThreadState) -> Standing:
    for one in held:
        found = Standing(place, one.graph)
        if found.is_of(state):
            return found
    raise _unseen(place.ns)


def not_found(ns: str) -> ValueError:
    """Return what a caller is told who names a frame that is not there."""
    return ValueError(f"Subgraph {'|'.join(path_of(ns))} not found")
