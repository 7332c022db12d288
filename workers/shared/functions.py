"""The functions whose calls are jobs of their own: found by name from the workflow on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from distgraph.channels import LastValue
from distgraph.core.graph import Graph, Node
from distgraph.core.model import RETURN
from distgraph.func.registered import functions_of

from .inner import around
from .served import Served


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
    )


def _as_called(graph: Graph, caller: Node, found: Mapping[str, Node]) -> dict[str, Node]:
    return {
        name: replace(
            node,
            retry=node.retry or graph.retry,
            queue=node.queue or caller.queue,
            priority=node.priority or caller.priority,
        )
        for name, node in found.items()
    }


def calling(served: Served, path: Sequence[str], depth: int, fp: str) -> Calling:
    """Return what the last of a ``path`` calls, of whose nodes the last ``depth`` are callers.

    The first of these is the node of the workflow with that fingerprint. LookupError where there is
    none, or where a function is not found.
    """
    before, (first, *others) = path[:-depth], path[-depth:]
    graph = served.at(before, fp) if before else served.graph
    if graph.fingerprint != fp or first not in graph.nodes:
        msg = f"Graph '{served.graph.name}' has no workflow at {'|'.join(path)} as it is stored."
        raise LookupError(msg)
    callers = [graph.nodes[first]]
    for name in others:
        callers.append(functions_in(graph, callers[-1]).nodes[name])
    outside = around(served.graph, before) if before else ()
    return Calling((*outside, *callers), functions_in(graph, callers[-1]))
