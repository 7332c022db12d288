"""Find the graphs that nodes hold, and the states that wait inside tasks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from distgraph.core.graph import Graph, Node
from distgraph.core.model import Errored, Interrupted, ThreadState


def graphs_in(node: Node) -> Iterator[Graph]:
    """Yield the graphs that a node is, or that its function refers to."""
    action: Any = node.callee.call or node.callee.acall
    owner = getattr(action, "__self__", None)
    if owner is not None and _is_compiled(owner):
        yield owner.graph
    elif inspect.isfunction(action):
        known = inspect.getclosurevars(action)
        for value in (*known.nonlocals.values(), *known.globals.values()):
            if _is_compiled(value):
                yield value.graph


def _is_compiled(value: Any) -> bool:
    return isinstance(getattr(value, "graph", None), Graph)


def schemas_of(graph: Graph) -> tuple[Any, ...]:
    """Return the state schemas of ``graph`` and of the graphs in its nodes, which it stores too."""
    found: dict[int, Any] = {}
    todo, seen = [graph], set()
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        found |= {id(schema): schema for schema in current.schema_types}
        todo += [inner for node in current.nodes.values() for inner in graphs_in(node)]
    return tuple(found.values())


def inner_state(graph: Graph, state: ThreadState | None, ns: str) -> tuple[Graph, ThreadState]:
    """Return the graph and the state that wait at ``ns`` inside a task; ValueError if none do."""
    inner = _waiting_inside(state, ns) if state else None
    found = _graph_at(graph, ns)
    if inner is None or found is None:
        msg = f"Subgraph {ns} not found"
        raise ValueError(msg)
    return found, inner


def _waiting_inside(state: ThreadState, ns: str) -> ThreadState | None:
    """Return the state of the graph that waits, or failed, at ``ns`` inside a task; else None."""
    for result in state.results.values():
        if isinstance(result, Interrupted | Errored):
            for name, inner in result.frames.items():
                if name == ns:
                    return inner
                if (deeper := _waiting_inside(inner, ns)) is not None:
                    return deeper
    return None


def _graph_at(graph: Graph, ns: str) -> Graph | None:
    found: Graph | None = graph
    for part in ns.split("|"):
        name = part.partition(":")[0]
        if found is None or name.isdigit():  # a further call inside the same task
            continue
        node = found.nodes.get(name)
        found = next(graphs_in(node), None) if node else None
    return found
