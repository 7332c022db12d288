"""The graphs whose tasks are jobs of their own though they run inside of a task of another graph.

That are those that a node of a served graph is, at any depth, as long as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from distgraph.core.graph import Graph, Node
from distgraph.graph.held import graph_of


def dispatched(node: Node) -> Graph | None:
    """Return the graph that a node is, if it is stored and its tasks are jobs; else None."""
    held = graph_of(node)
    return held.graph if held is not None and held.checkpointer is not False else None


def inner_graphs(root: Graph) -> tuple[Graph, ...]:
    """Return all such graphs inside of ``root``, each once."""
    found: dict[int, Graph] = {}
    todo = [root]
    while todo:
        for graph in _within(todo.pop()):
            if id(graph) not in found:
                found[id(graph)] = graph
                todo.append(graph)
    return tuple(found.values())


def _within(graph: Graph) -> Iterator[Graph]:
    found = (dispatched(node) for node in graph.nodes.values())
    return (inner for inner in found if inner is not None)


def queues_named(root: Graph) -> tuple[str, ...]:
    """Return the queues that nodes of ``root``, and of the graphs inside of it, name."""
    nodes = (node for graph in (root, *inner_graphs(root)) for node in graph.nodes.values())
    return tuple(dict.fromkeys(node.queue for node in nodes if node.queue))
