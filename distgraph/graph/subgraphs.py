"""Find the graphs that nodes hold, and those that the frames in a thread are of."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from distgraph.checkpoint.base.frames import path_of
from distgraph.core.graph import Graph, Node
from distgraph.core.model import GRAPH, ThreadState
from distgraph.runners.backend import Place
from distgraph.runners.frames import lasting


class Held(NamedTuple):
    """A graph that a node is or calls, and what it was compiled with as its checkpointer."""

    graph: Graph
    checkpointer: Any

    def place(self, place: Place) -> Place:
        """Return where the graph is kept of which a snapshot says that it is at ``place``."""
        if self.checkpointer is not True:
            return place
        return Place(place.thread_id, lasting(place.ns), place.checkpoint_id)


class Standing(NamedTuple):
    """A frame: where it is kept, and the graph that it is of."""

    place: Place
    graph: Graph

    def is_of(self, state: ThreadState) -> bool:
        """Whether ``state`` is that of a call of this graph."""
        return state.checkpoint.metadata.get(GRAPH) == self.graph.fingerprint


def graph_of(node: Node) -> Held | None:
    """Return the graph that a node is, None for a node that is something else."""
    owner: Any = getattr(node.callee.call or node.callee.acall, "__self__", None)
    return Held(owner.graph, owner.checkpointer) if _is_compiled(owner) else None


def graphs_in(node: Node) -> Iterator[Held]:
    """Yield the graphs that a node is, or that its function refers to."""
    if (own := graph_of(node)) is not None:
        yield own
        return
    for value in _referred(_action(node)):
        if _is_compiled(value):
            yield Held(value.graph, value.checkpointer)


def _action(node: Node) -> Any:
    """Return what a node runs: a user's function, also where something else calls that."""
    action: Any = node.callee.call or node.callee.acall
    return getattr(action, "function", action)


def _referred(action: Any) -> tuple[Any, ...]:
    """Return what a function refers to by global variables and by those around it."""
    if not inspect.isfunction(action):
        return ()
    known = inspect.getclosurevars(action)
    return (*known.nonlocals.values(), *known.globals.values())


def _functions_in(node: Node) -> Iterator[Any]:
    """Yield the functions made by ``task`` that a node's function refers to."""
    for value in _referred(_action(node)):
        if isinstance(getattr(value, "node", None), Node):
            yield value


def _is_compiled(value: Any) -> bool:
    return isinstance(getattr(value, "graph", None), Graph)


def stored_in(node: Node) -> tuple[Held, ...]:
    """Return the graphs in a node that are stored when the node calls them."""
    return tuple(held for held in graphs_in(node) if held.checkpointer is not False)


def schemas_of(graph: Graph) -> tuple[Any, ...]:
    """Return the state schemas of ``graph`` and of what its nodes call, which it stores too."""
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
        todo += [held.graph for node in nodes for held in graphs_in(node)]
        todo += [function for node in nodes for function in _functions_in(node)]
    return tuple(found.values())


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
        f"Subgraph {'|'.join(path_of(ns))} not found: node '{node}' refers to no such graph. To "
        "look into a graph that it calls, let its function refer to it by a global variable, or by "
        "one of the function around it."
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
