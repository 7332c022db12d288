"""The fingerprint of a graph: equal structure, equal fingerprint, in every process."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from distgraph.core.graph import Graph, Node


def fingerprint(graph: Graph) -> Graph:
    """Return ``graph`` with its fingerprint: 16 hex digits over nodes, edges and channels."""
    shape = {
        "nodes": {name: _shape(node) for name, node in graph.nodes.items()},
        "channels": {name: channel.describe() for name, channel in graph.channels.items()},
        "joins": sorted(join.name for join in graph.joins),
    }
    text = json.dumps(shape, sort_keys=True)
    return replace(graph, fingerprint=blake2b(text.encode(), digest_size=8).hexdigest())


def _shape(node: Node) -> dict[str, Any]:
    triggers = {"triggers": sorted(node.triggers)} if node.triggers else {}
    return {
        **triggers,
        "targets": node.targets,
        "branches": [
            [branch.path.name, sorted((str(k), v) for k, v in (branch.ends or {}).items())]
            for branch in node.branches
        ],
        "defer": node.defer,
        **({"handler": node.handler.name} if node.handler else {}),
    }
