"""What nodes and callers see of values: of some channels it is something else than they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from distgraph.channels.base import MISSING
from distgraph.core.graph import Graph
from distgraph.core.merge import updated

Values = Mapping[str, Any]
Rule = Literal["seen", "consumed", "finished"]


def seen(graph: Graph, values: Values) -> Values:
    """Return ``values`` as they are read."""
    if not graph.veiled:
        return values
    return updated(values, _each(graph, values, graph.veiled, "seen"))


def given_in(graph: Graph, values: Values, step: int, stop: int) -> Values:
    """Return what the nodes of the superstep ``step`` read, of a run that takes ``stop`` last."""
    if not graph.managed:
        return seen(graph, values)
    managed = {name: managed.get(step, stop) for name, managed in graph.managed.items()}
    return {**seen(graph, values), **managed}


def consumed(graph: Graph, values: Values, ran: Iterable[str]) -> dict[str, Any]:
    """Return what channels become because of which the nodes ``ran``."""
    if not graph.veiled:
        return {}
    triggers = {trigger for name in ran for trigger in graph.nodes[name].triggers}
    own = (name for name in graph.veiled if name in triggers)
    return _changed(values, _each(graph, values, own, "consumed"))


def finished(graph: Graph, values: Values) -> dict[str, Any]:
    """Return what channels become when nothing else is left to run."""
    return _changed(values, _each(graph, values, graph.veiled, "finished"))


def _each(graph: Graph, values: Values, names: Iterable[str], rule: Rule) -> dict[str, Any]:
    return {
        name: getattr(graph.channels[name], rule)(values[name]) for name in names if name in values
    }


def _changed(values: Values, becomes: Values) -> dict[str, Any]:
    return {name: new for name, new in becomes.items() if new is MISSING or values[name] is not new}
