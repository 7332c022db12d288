"""Thousands of HTTP calls: at most so many a second over all workers, with a progress bar.

A page is fetched by a coroutine, of which one worker process carries a hundred at once. The limit
is kept in Redis by the package `limits`, so that it holds for all workers together::

    celery -A examples.batch worker --concurrency 2
    python -m examples.batch http://localhost:8000/items/{} 5000
"""

from __future__ import annotations

import asyncio
import operator
import os
import sys
from functools import cache
from typing import Annotated, Any, TypedDict

import httpx
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from rich.progress import Progress

from distgraph.graph import END, START, StateGraph
from distgraph.types import RetryPolicy, Send
from workers import CeleryBackend

REDIS = os.environ.get("DISTGRAPH_REDIS", "redis://localhost:6379/0")
NAMESPACE = os.environ.get("DISTGRAPH_NAMESPACE", "dg")
RATE = RateLimitItemPerSecond(int(os.environ.get("RATE", "50")))


class Batch(TypedDict, total=False):
    """The state: what to fetch, and the sizes of what came."""

    urls: list[str]
    sizes: Annotated[list[int], operator.add]


def each(batch: Batch) -> list[Send]:
    """Send every address to a task of its own."""
    return [Send("fetch", url) for url in batch["urls"]]


@cache
def limiter() -> MovingWindowRateLimiter:
    """Return this process's limiter; it is made in the worker, on the loop that runs coroutines."""
    return MovingWindowRateLimiter(RedisStorage(f"async+{REDIS}", implementation="redispy"))


@cache
def client() -> httpx.AsyncClient:
    """Return this process's client, which keeps its connections."""
    return httpx.AsyncClient(timeout=30)


async def fetch(url: str) -> Batch:
    """Fetch a page when it is its turn."""
    while not await limiter().hit(RATE, NAMESPACE, "fetch"):  # noqa: ASYNC110 it tells nobody
        await asyncio.sleep(0.1)
    reply = await client().get(url)
    reply.raise_for_status()
    return {"sizes": [len(reply.content)]}


builder = StateGraph(Batch)
# What the server cannot do now (connections, 5xx) is tried again, up to five times.
builder.add_node("fetch", fetch, retry_policy=RetryPolicy(max_attempts=5))
builder.add_conditional_edges(START, each, ["fetch"])
builder.add_edge("fetch", END)

backend = CeleryBackend(REDIS)
graph = builder.compile(name="batch", backend=backend)
app = backend.app


def main(pattern: str, count: int, thread: str = "batch") -> dict[str, Any]:
    """Start the batch, show how far it is, return its state."""
    urls = [pattern.format(number) for number in range(count)]
    run = graph.submit({"urls": urls}, {"configurable": {"thread_id": thread}})
    with Progress() as progress:
        task = progress.add_task("fetched", total=count)
        for mode, _ in run.stream():
            progress.advance(task, 1 if mode == "updates" else 0)
    return dict(run.result())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(sum(main(sys.argv[1], int(sys.argv[2]))["sizes"]), "bytes")
