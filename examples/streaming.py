"""What a run does, while it does it: updates, progress of the nodes' own, whole states.

In this process, blocking or on an event loop; on a backend the calls are the same::

    python -m examples.streaming
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import StreamWriter


class Trip(TypedDict, total=False):
    """The state: the stops so far."""

    stops: Annotated[list[str], operator.add]


def plan(_trip: Trip, writer: StreamWriter) -> Trip:
    """Tell about progress through the writer that a node may ask for."""
    for percent in (50, 100):
        writer({"planned": percent})
    return {"stops": ["Oslo"]}


def book(_trip: Trip) -> Trip:
    """Return an update."""
    return {"stops": ["Bergen"]}


builder = StateGraph(Trip)
builder.add_sequence([plan, book])
builder.add_edge(START, "plan").add_edge("book", END)
graph = builder.compile()


def follow() -> Iterator[tuple[str, Any]]:
    """Yield (mode, chunk); with a single mode, the chunks alone come."""
    yield from graph.stream({"stops": []}, stream_mode=["custom", "updates"])


async def afollow() -> AsyncIterator[Any]:
    """Yield the whole state after every superstep."""
    async for state in graph.astream({"stops": []}, stream_mode="values"):
        yield state


async def main() -> None:
    """Print both."""
    for mode, chunk in follow():
        print(mode, chunk)
    async for state in afollow():
        print(state)


if __name__ == "__main__":
    asyncio.run(main())
