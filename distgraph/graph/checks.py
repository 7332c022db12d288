"""What makes a graph whole: known nodes, an entry, legal names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from distgraph.core.model import END, START

if TYPE_CHECKING:
    from distgraph.graph.state import StateGraph

_RESERVED = ("|", ":")


def check_name(name: str, taken: Collection[str]) -> None:
    """Raise ValueError for a node name that is taken or reserved."""
    if name in (START, END):
        msg = f"Node `{name}` is reserved."
        raise ValueError(msg)
    if name in taken:
        msg = f"Node `{name}` already present."
        raise ValueError(msg)
    for character in _RESERVED:
        if character in name:
            msg = f"'{character}' is a reserved character and is not allowed in the node names."
            raise ValueError(msg)


def check(builder: StateGraph[Any], stops: Iterable[str]) -> None:
    """Raise ValueError for an edge or breakpoint to an unknown node, or for no entry."""
    for source in sorted(_sources(builder)):
        if source not in builder.nodes and source != START:
            msg = f"Found edge starting at unknown node '{source}'"
            raise ValueError(msg)
    if START not in _sources(builder):
        msg = "Graph must have an entrypoint: add at least one edge from START to another node"
        raise ValueError(msg)
    for end in sorted({end for _, end in builder.edges} | {e for _, e in builder.waiting_edges}):
        if end not in builder.nodes and end != END:
            msg = f"Found edge ending at unknown node `{end}`"
            raise ValueError(msg)
    _check_branches(builder)
    for stop in stops:
        if stop not in builder.nodes:
            msg = f"Interrupt node `{stop}` not found"
            raise ValueError(msg)


def _sources(builder: StateGraph[Any]) -> set[str]:
    joined = {name for starts, _ in builder.waiting_edges for name in starts}
    return {start for start, _ in builder.edges} | joined | set(builder.branches)


def _check_branches(builder: StateGraph[Any]) -> None:
    for source, branches in builder.branches.items():
        for name, branch in branches.items():
            for end in (branch.ends or {}).values():
                if end not in builder.nodes and end != END:
                    msg = f"At '{source}' node, '{name}' branch found unknown target '{end}'"
                    raise ValueError(msg)


def check_stops(builder: StateGraph[Any], stops: str | Sequence[str] | None) -> frozenset[str]:
    """Return the nodes that a breakpoint argument names: None, "*", ["*"], or a list of names."""
    names = [stops] if isinstance(stops, str) else list(stops or ())
    if "*" in names:
        return frozenset(builder.nodes)
    for name in names:
        if name not in builder.nodes:
            msg = f"Interrupt node `{name}` not found"
            raise ValueError(msg)
    return frozenset(names)
