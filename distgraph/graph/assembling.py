"""How a blueprint becomes the graph that the algorithm works on."""

from __future__ import annotations

from typing import Any

from distgraph.core.graph import Branch, Callee, Graph, Join, Node, Schema
from distgraph.core.model import END, START
from distgraph.graph.blueprint import Blueprint, NodeSpec
from distgraph.graph.fingerprint import fingerprint
from distgraph.graph.schema import channels_of, reader
from distgraph.types import RetryPolicy


def graph_of(
    blueprint: Blueprint, name: str, before: frozenset[str], after: frozenset[str]
) -> Graph:
    """Return the graph of a blueprint that is whole, with its fingerprint.

    ``before`` and ``after`` are the nodes of its static breakpoints.
    """
    nodes = {key: _node(blueprint, key, spec) for key, spec in blueprint.nodes.items()}
    nodes[START] = Node(
        name=START,
        callee=Callee(START, _identity, None),
        schema=Schema((START,), _only),
        targets=_targets(blueprint, START),
        branches=_branches(blueprint, START),
    )
    joins = tuple(
        Join(f"join:{'+'.join(starts)}:{end}", frozenset(starts), end)
        for starts, end in blueprint.waiting_edges
        if end != END
    )
    graph = Graph(
        name=name,
        nodes=nodes,
        channels=dict(blueprint.channels),
        joins=joins,
        inputs=tuple(channels_of(blueprint.input_schema)),
        outputs=tuple(channels_of(blueprint.output_schema)),
        before=before,
        after=after,
        schema_types=tuple(blueprint.schemas),
    )
    return fingerprint(graph)


def _only(**values: Any) -> Any:
    return values[START]


def _identity(given: Any) -> Any:
    return given


def _node(blueprint: Blueprint, name: str, spec: NodeSpec) -> Node:
    defaults, schema = blueprint.defaults, reader(spec.schema)
    handler = spec.handler or defaults.handler
    return Node(
        name=name,
        callee=spec.callee,
        schema=schema,
        targets=_targets(blueprint, name),
        branches=_branches(blueprint, name),
        retry=spec.retry or defaults.retry,
        defer=spec.defer,
        queue=spec.queue,
        priority=spec.priority,
        metadata=spec.metadata,
        destinations=spec.destinations,
        handler=_handler(handler, schema, defaults.retry) if handler else None,
    )


def _handler(callee: Callee, schema: Schema, retry: tuple[RetryPolicy, ...]) -> Node:
    """Return the node of an error handler, which sees what the node that failed does."""
    return Node(name=callee.name, callee=callee, schema=schema, retry=retry)


def _targets(blueprint: Blueprint, name: str) -> tuple[str, ...]:
    return tuple(sorted(end for start, end in blueprint.edges if start == name and end != END))


def _branches(blueprint: Blueprint, name: str) -> tuple[Branch, ...]:
    return tuple(
        Branch(spec.path, reader(spec.schema), spec.ends, spec.follows)
        for spec in blueprint.branches.get(name, {}).values()
    )
