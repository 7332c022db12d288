"""How the chunks of a stream are wrapped for the caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from distgraph.events import Event
from distgraph.graph.options import Options
from distgraph.levels import placed_chunks
from distgraph.streaming import View


@dataclass(frozen=True, slots=True)
class Shape:
    """The view of the graph that was called, and how its caller wants chunks."""

    view: View
    options: Options

    def chunks(self, event: Event) -> Iterator[Any]:
        """Yield what the caller gets for an event."""
        for placed in placed_chunks(self.view, event, subgraphs=self.options.subgraphs):
            yield self._wrapped(*placed)

    def _wrapped(self, ns: str, mode: str, payload: Any) -> Any:
        path = (tuple(ns.split("|")) if ns else (),) if self.options.subgraphs else ()
        mode_ = () if self.options.is_single else (mode,)
        return (*path, *mode_, payload) if path or mode_ else payload
