"""How a blueprint becomes the graph that the algorithm works on."""

from __future__ import annotations

from typing import Any

from distgraph.core.graph import Branch, Callee, Graph, Join, Node, Schema
from distgraph.core.model import END, START
from distgraph.graph.blueprint import Blueprint, NodeDefaults, NodeSpec
from distgraph.graph.callees import limited
from distgraph.graph.fingerprint import fingerprint
from distgraph.graph.schema import channels_of, reader


def graph_of(
    blueprint: Blueprint,
    name: str,
    before: frozenset[str],
    after: frozenset[str],
    *,
    ends_blocking: bool = False,
) -> Graph:
    """Return the graph of a blueprint that is whole, with its fingerprint.

    ``before`` and ``after`` are the nodes of its static breakpoints. ``ends_blocking``: where it
    runs, nodes that block can be ended, and may have time limits.
    """
    start = Node(
        name=START,
        callee=Callee(START, _identity, None),
        schema=Schema((START,), _only),
        targets=_targets(blueprint, START),
        branches=_branches(blueprint, START),
    )
    nodes = {key: _node(blueprint, key, spec) for key, spec in blueprint.nodes.items()}
    for node in nodes.values():
        # A loop runs what blocks in a thread, which nothing ends.
        if not ends_blocking or node.needs_loop:
            limited("Node", node.timeout, node.callee)
    nodes = {START: start, **nodes}
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
        managed=dict(blueprint.managed),
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
        handler=_handler(handler, schema, defaults) if handler else None,
        timeout=spec.timeout or defaults.timeout,
        cache=spec.cache or defaults.cache,
    )


def _handler(callee: Callee, schema: Schema, defaults: NodeDefaults) -> Node:
    """Return the node of an error handler, which sees what the node that failed does."""
    timeout = defaults.timeout if callee.acall else None
    return Node(callee.name, callee, schema, retry=defaults.retry, timeout=timeout)


def _targets(blueprint: Blueprint, name: str) -> tuple[str, ...]:
    return tuple(sorted(end for start, end in blueprint.edges if start == name and end != END))


def _branches(blueprint: Blueprint, name: str) -> tuple[Branch, ...]:
    return tuple(
        Branch(spec.path, reader(spec.schema), spec.ends, spec.follows)
        for spec in blueprint.branches.get(name, {}).values()
    )
