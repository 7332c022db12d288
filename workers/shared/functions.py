"""What runs inside of tasks as jobs of its own: the graphs that nodes are, and what tasks call.

Functions are found by name from the workflow on, graphs that are called among those of the backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from distgraph.channels import LastValue
from distgraph.core.graph import Graph, Node
from distgraph.core.model import RETURN
from distgraph.func.registered import functions_of

from .graphcalls import call_of
from .inner import dispatched
from .served import Served


class Waypoint(NamedTuple):
    """A node on the way to a frame: in ``graph``, which for calls has what their caller calls."""

    graph: Graph
    node: Node


class Calling(NamedTuple):
    """What a task calls: the nodes around the calls, the outermost first, and their ``graph``."""

    around: tuple[Node, ...]
    graph: Graph


class _Known(dict[str, Node]):
    """Functions by their names; LookupError says which one is missing."""

    def __missing__(self, name: str) -> NoReturn:
        msg = (
            f"Function '{name}', which another worker has called, is not found here: it needs a "
            "name in the module of its caller, where no other function made by task is called so."
        )
        raise LookupError(msg)


def functions_in(graph: Graph, caller: Node) -> Graph:
    """Return the graph of the functions that ``caller``, in a workflow's ``graph``, finds by name.

    They run where their caller does, and are tried again as that one, unless they say so.
    """
    return Graph(
        name=graph.name,
        nodes=_Known(_as_called(graph, caller, functions_of(caller))),
        channels={RETURN: LastValue(Any)},
        joins=(),
        inputs=(),
        outputs=(RETURN,),
        fingerprint=graph.fingerprint,
        schema_types=graph.schema_types,
        retry=graph.retry,
        cache=graph.cache,
    )


def _as_called(graph: Graph, caller: Node, found: Mapping[str, Node]) -> dict[str, Node]:
    return {
        name: replace(
            node,
            retry=node.retry or graph.retry,
            cache=node.cache or graph.cache,
            queue=node.queue or caller.queue,
            priority=node.priority or caller.priority,
        )
        for name, node in found.items()
    }


def calls_in(served: Served, graph: Graph, caller: Node) -> Graph:
    """Return the graph of what ``caller`` may call as jobs of their own: functions, and graphs.

    Functions go first: who calls a graph makes sure that none has its name.
    """
    own = functions_in(graph, caller)
    graphs = {
        name: call_of(each.compiled, caller)
        for name, each in served.others.items()
        if each.compiled is not None
    }
    return replace(own, nodes=_Known({**graphs, **own.nodes}))


def steps_to(served: Served, path: Sequence[str]) -> tuple[Waypoint, ...]:
    """Return the nodes on the way of ``path`` inside of a thread of ``served``.

    Each but the last is, or calls, what the next one is in. LookupError where there is no such way.
    """
    steps: list[Waypoint] = []
    for name in path:
        graph = _beneath(served, steps[-1]) if steps else served.graph
        node = graph.nodes.get(name)
        if node is None:
            msg = f"Graph '{served.graph.name}' has nothing at {'|'.join(path)} as it is stored."
            raise LookupError(msg)
        steps.append(Waypoint(graph, node))
    return tuple(steps)


def _beneath(served: Served, step: Waypoint) -> Graph:
    return dispatched(step.node) or calls_in(served, step.graph, step.node)


def graph_at(served: Served, path: Sequence[str], fp: str) -> Graph:
    """Return the graph at a ``path`` inside of a thread of ``served``, with that fingerprint.

    LookupError where there is none.
    """
    graph = dispatched(steps_to(served, path)[-1].node)
    if graph is None or graph.fingerprint != fp:
        msg = f"Graph '{served.graph.name}' has another graph at {'|'.join(path)} than is stored."
        raise LookupError(msg)
    return graph


def calling(served: Served, path: Sequence[str], depth: int, fp: str) -> Calling:
    """Return what the last of a ``path`` calls, of whose nodes the last ``depth`` are callers.

    The first of these is the node of the graph with that fingerprint. LookupError where there is
    none, or where what is called is not found.
    """
    steps = steps_to(served, path)
    if steps[-depth].graph.fingerprint != fp:
        msg = f"Graph '{served.graph.name}' has another graph at {'|'.join(path)} than is stored."
        raise LookupError(msg)
    around = tuple(step.node for step in steps)
    return Calling(around, calls_in(served, steps[-1].graph, steps[-1].node))
