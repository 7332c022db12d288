"""How the chunks of a stream are wrapped for the caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from distgraph.events import Custom, Event, Inside
from distgraph.graph.options import Options
from distgraph.streaming import View, chunks


@dataclass(frozen=True, slots=True)
class Shape:
    """The view of the graph that was called, and how its caller wants chunks."""

    view: View
    options: Options

    def chunks(self, event: Event) -> Iterator[Any]:
        """Yield what the caller gets for an event."""
        view, seen = self.view, event
        if isinstance(event, Inside):
            if not self.options.subgraphs and not isinstance(event.event, Custom):
                return
            view = replace(view, graph=event.graph, keys=event.graph.outputs)
            seen = event.event
        for mode, payload in chunks(view, seen):
            yield self._wrapped(seen.ns, mode, payload)

    def _wrapped(self, ns: str, mode: str, payload: Any) -> Any:
        path = (tuple(ns.split("|")) if ns else (),) if self.options.subgraphs else ()
        mode_ = () if self.options.is_single else (mode,)
        return (*path, *mode_, payload) if path or mode_ else payload
