"""How the chunks of a stream, and results, are wrapped for the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from distgraph.events import Event
from distgraph.graph.options import Options
from distgraph.graph.schema import reader
from distgraph.levels import placed_chunks
from distgraph.streaming import INTERRUPT, View
from distgraph.types import GraphOutput

Make = Callable[..., Any] | None


@dataclass(frozen=True, slots=True)
class Instances:
    """How values become what a schema says, where that is a class: ``version="v2"`` does so.

    ``output`` makes what the graph returns, ``state`` what its checkpoints hold.
    """

    output: Make
    state: Make

    def result(self, values: Any) -> GraphOutput[Any]:
        """Return what ``invoke`` returns for ``values``, which may hold questions."""
        rest, asked = _apart(values)
        return GraphOutput(_made(self.output, rest), asked)

    def part(self, ns: str, mode: str, payload: Any) -> dict[str, Any]:
        """Return a chunk as ``stream`` yields it; graphs inside keep their dicts."""
        part = {"type": mode, "ns": _path(ns), "data": payload}
        if mode == "values":
            rest, asked = _apart(payload)
            return {**part, "data": _made(None if ns else self.output, rest), "interrupts": asked}
        if mode == "checkpoints" and not ns:
            return {**part, "data": self._checkpoint(payload)}
        if mode == "debug" and not ns and payload["type"] == "checkpoint":
            return {**part, "data": {**payload, "payload": self._checkpoint(payload["payload"])}}
        return part

    def _checkpoint(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return a checkpoint with its values made; one of an input has only part of them."""
        if payload["metadata"]["source"] == "input":
            return dict(payload)
        return {**payload, "values": _made(self.state, payload["values"])}


UNTYPED: Final = Instances(None, None)
"""Leaves values as they are."""


def instances(output_schema: Any, state_schema: Any) -> Instances:
    """Return how the values of a graph with these schemas are made."""
    return Instances(reader(output_schema).make, reader(state_schema).make)


def _apart(values: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return values without the questions that stand among them, and these."""
    if not isinstance(values, dict) or INTERRUPT not in values:
        return values, ()
    rest = {key: value for key, value in values.items() if key != INTERRUPT}
    return rest, tuple(values[INTERRUPT])


def _made(make: Make, values: Any) -> Any:
    return values if make is None or not isinstance(values, dict) else make(**values)


def _path(ns: str) -> tuple[str, ...]:
    return tuple(ns.split("|")) if ns else ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The view of the graph that was called, and how its caller wants chunks."""

    view: View
    options: Options
    made: Instances

    def printed(self, event: Event) -> None:
        """Print what is to be printed of an event."""
        for _ in self.chunks(event) if self.options.printed else ():
            pass

    def result(self, values: Any) -> Any:
        """Return what the caller gets as the result of a run that ended with ``values``."""
        return self.made.result(values) if self.options.version == "v2" else values

    def chunks(self, event: Event) -> Iterator[Any]:
        """Yield what the caller gets for an event; print what is to be printed."""
        for ns, mode, payload in placed_chunks(self.view, event, subgraphs=self.options.subgraphs):
            if mode in self.options.printed:
                print(f"{f'[{ns}]' if ns else ''}[{mode}] {payload}")  # noqa: T201 as was asked
            if mode in self.options.modes:
                yield self._wrapped(ns, mode, payload)

    def _wrapped(self, ns: str, mode: str, payload: Any) -> Any:
        if self.options.version == "v2":
            return self.made.part(ns, mode, payload)
        path = (_path(ns),) if self.options.subgraphs else ()
        mode_ = () if self.options.is_single else (mode,)
        return (*path, *mode_, payload) if path or mode_ else payload
