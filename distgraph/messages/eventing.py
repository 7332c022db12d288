"""A graph as a Runnable of langchain-core, which makes events of what its callbacks hear."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

LIMIT = "recursion_limit"


class GraphRunnable(Runnable[Any, Any]):
    """Streams ``graph``, as langchain-core wants it; ``limited`` when its caller names a limit.

    Where none is named langchain-core puts in one of its own, which is not the graph's.
    """

    def __init__(self, graph: Any, *, limited: bool) -> None:
        self.name = graph.graph.told_as
        self._graph = graph
        self._limited = limited

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 its name
        """Run the graph."""
        return self._graph.invoke(input, self._own(config), **options)

    async def astream(
        self,
        input: Any,  # noqa: A002 its name
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Run the graph and yield its chunks."""
        chunks: AsyncGenerator[Any, None] = self._graph.astream(input, self._own(config), **options)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _own(self, config: RunnableConfig | None) -> dict[str, Any]:
        given = dict(config or {})
        if not self._limited:
            given.pop(LIMIT, None)
        return given
