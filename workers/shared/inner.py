"""The graphs whose tasks are jobs of their own though they run inside of a task of another graph.

That are those that a node of a served graph is, at any depth, as long as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checkpoint_redis.frames import FrameName
from distgraph.core.graph import Graph, Node
from distgraph.core.model import Task
from distgraph.graph.held import graph_of
from distgraph.runners.frames import lasting


def dispatched(node: Node) -> Graph | None:
    """Return the graph that a node is, if it is stored and its tasks are jobs; else None."""
    held = graph_of(node)
    return held.graph if held is not None and held.checkpointer is not False else None


def frame_within(node: Node, ns: str, task: Task) -> str:
    """Return the hash of the frame of the graph that ``node`` is; '' where it is none.

    ``task`` is one of the frame ``ns`` that runs the node.
    """
    held = graph_of(node)
    if held is None or held.checkpointer is False:
        return ""
    name = f"{ns}|{task.place}" if ns else task.place
    return FrameName(lasting(name) if held.checkpointer is True else name).hash


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


def stores_of(compiled: Any) -> tuple[Any, ...]:
    """Return the stores of a compiled graph, and of those that nodes in it are."""
    nodes = (n for g in (compiled.graph, *inner_graphs(compiled.graph)) for n in g.nodes.values())
    held = (graph_of(node) for node in nodes)
    graphs = (compiled, *(each.compiled for each in held if each is not None))
    return tuple(graph.store for graph in graphs if graph.store is not None)


def queues_named(root: Graph) -> tuple[str, ...]:
    """Return the queues that nodes of ``root``, and of the graphs inside of it, name."""
    nodes = (node for graph in (root, *inner_graphs(root)) for node in graph.nodes.values())
    return tuple(dict.fromkeys(node.queue for node in nodes if node.queue))
