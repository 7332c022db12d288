"""Runs that are under way for ever, and somebody who waits for their ends."""

from __future__ import annotations

from typing import Any

from checkpoint_redis.keys import Thread
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.thread_driver import Driver, nonce, superstep
from workers import CeleryBackend
from workers.client.begun import just_before
from workers.client.carrier import aperform, perform
from workers.client.effects import AwaitEnd
from workers.client.watched import Watched


class Runs:
    """Runs under way on threads of one namespace, and one process that waits for their ends."""

    def __init__(self, server: RedisServer, namespace: str) -> None:
        self.client: Any = server.client()
        self.backend = CeleryBackend(server.url, namespace=namespace)
        register(self.backend, ("steps",))
        served = self.backend.registry.get("steps")
        assert served is not None
        self.served, self.namespace = served, namespace
        self.drivers: dict[str, Driver] = {}
        self.since: dict[str, tuple[int, int]] = {}

    def start(self, count: int) -> list[str]:
        """Start so many runs, each on a thread of its own; return their ids."""
        names = [f"run-{len(self.drivers) + n}" for n in range(count)]
        for name in names:
            driver = Driver(self.client, self.namespace, name)
            self.since[name] = just_before(driver.start(superstep("cp-0", "a"), name).now)
            self.drivers[name] = driver
        return names

    def end(self, name: str) -> None:
        self.drivers[name].ledger.cancel(self.drivers[name].thread, name, ep=nonce())

    def need(self, name: str, deadline: float | None = None) -> AwaitEnd:
        thread = Thread(self.namespace, name)
        return AwaitEnd(Watched(self.served, thread, name), self.since[name], deadline)

    def wait(self, name: str, deadline: float | None = None) -> None:
        perform(self.backend._carrier._means(), self.need(name, deadline))

    async def await_(self, name: str) -> None:
        await aperform(self.backend._carrier._async_means(), self.need(name))

    def reading(self) -> int:
        """Return how many connections wait for entries of a stream."""
        return sum("b" in each["flags"] for each in self.client.client_list())

    def scripts(self) -> int:
        """Return how many scripts the server has run."""
        stats = self.client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))
