"""Drawing a compiled graph: nothing runs, and nothing is asked of a backend or a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph.core.graph import Graph

if TYPE_CHECKING:  # most never draw
    from distgraph.drawing.picture import Drawing


@checked
class Drawable:
    """A graph of which there is a picture."""

    graph: Graph

    def get_graph(
        self, config: Mapping[str, Any] | None = None, *, xray: HowMany | bool = False
    ) -> Drawing:
        """Return the picture of the graph: its nodes, its edges, and ways to show them.

        ``xray``: how many levels of graphs inside nodes are drawn, True for all. A conditional edge
        leads where its path map, or the ``Literal`` that its function returns, says, else to every
        other node; a node whose function returns ``Command[Literal[...]]``, or that was given
        ``destinations``, leads there. ``config`` changes nothing; LangGraph's calls have it.
        """
        from distgraph.graph.tracing import traced  # noqa: PLC0415 most never draw

        del config
        return traced(self.graph, xray)

    async def aget_graph(
        self, config: Mapping[str, Any] | None = None, *, xray: HowMany | bool = False
    ) -> Drawing:
        """Return what ``get_graph`` returns."""
        return self.get_graph(config, xray=xray)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return what a notebook shows of the graph; graphs inside nodes are not drawn."""
        return self.get_graph()._repr_mimebundle_()
