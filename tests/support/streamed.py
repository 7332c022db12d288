"""Runs under way for ever, which stream what a test has them stream, without a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.ledger import Ledger
from distgraph.errors import RunCancelled
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.thread_driver import LEASE
from workers import CeleryBackend, Run
from workers.client.watched import Watched


@dataclass(frozen=True)
class Streamed:
    """A run whose only task is claimed."""

    run: Run
    of: Watched
    tid: str

    @property
    def name(self) -> str:
        return self.of.thread.thread_id

    @property
    def stream(self) -> str:
        return self.of.thread.events


class Streams:
    """One process that follows runs; a chunk is a number, counted from 1, and a padding."""

    def __init__(self, server: RedisServer, namespace: str) -> None:
        self.client: Any = server.client()
        self.backend = CeleryBackend(server.url, namespace=namespace)
        self.graph = register(self.backend, ("steps",))["steps"]
        self.ledger = Ledger(self.client)

    def close(self) -> None:
        """Close the connections, those that were cut off under somebody's feet too."""
        for client in (
            self.client,
            self.backend.ledger.client,
            self.backend._carrier._means().waiting,
        ):
            client.close()

    def start(self, count: int) -> list[Streamed]:
        return [self._start(f"stream-{n}") for n in range(count)]

    def _start(self, name: str) -> Streamed:
        run = self.graph.submit({"path": []}, on(name), stream_mode="custom")
        served = self.backend.registry.get("steps")
        assert served is not None
        thread = self.backend.thread_key(name)
        loaded = self.ledger.load(thread)
        assert loaded is not None
        (task,) = loaded.tasks
        self.ledger.claim(
            thread, "", loaded.header.ep, (task.tid,), tok="t", owner="worker",
            lease_ms=LEASE, served=(served.label,),
        )  # fmt: skip
        return Streamed(run, Watched(served, thread, run.id), task.tid)

    def tell(self, one: Streamed, first: int, last: int, padding: str = "") -> None:
        """Stream the numbers from ``first`` to ``last``."""
        dumps = one.of.served.wire.serializer.dumps
        blobs = tuple(dumps([n, padding]) for n in range(first, last + 1))
        told = self.ledger.emit(
            one.of.thread, one.run.id, "", one.tid, tok="t", first=first, blobs=blobs
        )
        assert told

    def end(self, one: Streamed) -> None:
        assert one.run.cancel()

    def hear(self, one: Streamed) -> Iterator[int]:
        """Yield the numbers that are streamed, until the run is cancelled."""
        with suppress(RunCancelled):
            for _, (number, _padding) in one.run.stream():
                yield number

    async def ahear(self, one: Streamed) -> list[int]:
        """Return what ``hear`` yields."""
        found = []
        with suppress(RunCancelled):
            async for _, (number, _padding) in one.run.astream():
                found.append(number)
        return found

    def reading(self) -> int:
        """Return how many connections wait for entries of a stream."""
        return sum(
            "b" in each["flags"] and each["cmd"] == "xread" for each in self.client.client_list()
        )
