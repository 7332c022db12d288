"""Redis clients: one for each process, and one for each event loop that asks."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.ledger import AsyncLedger, Ledger
from checkpoint_redis.servers import opening
from checkpoint_redis.servers.opening import StoreClient
from checkpoint_redis.servers.url import RedisUrl, ServerKind

CONNECTIONS, READERS = 50, 2
"""How many a client opens at most, and one whose reads wait; who comes then waits.

One read waits for all; a second one may begin while the first, cancelled, gives its connection up.
"""
BEYOND_ANY_BLOCK = 60.0
"""After how many seconds a read that waits is given up, because the server does not answer."""
_MARGIN = 1.0  # a server that accepts but never answers is given up within reach + margin


@dataclass(slots=True)
class _Opened:
    ledger: Ledger
    patient: Ledger
    waiting: StoreClient
    steady: Ledger | None = None


class Clients:
    """Opens clients when they are first needed; what a fork inherits is dropped unused.

    ``reach``: how long, in seconds, a call goes on trying to connect. Each process checks the
    format of ``namespace`` with its first call: StoreError when another version wrote there.
    """

    def __init__(self, url: RedisUrl, reach: float, namespace: str) -> None:
        self._url = url.or_else(
            max_connections=CONNECTIONS,
            socket_timeout=reach + _MARGIN,
            socket_connect_timeout=min(2.0, reach),
            health_check_interval=30,
        )
        self._reach, self._namespace = reach, namespace
        self._by_pid: dict[int, _Opened] = {}
        self._loops: weakref.WeakKeyDictionary[Any, tuple[AsyncLedger, Any]]
        self._loops = weakref.WeakKeyDictionary()
        self._closing: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def ledger(self) -> Ledger:
        """Return this process's ledger, which goes on trying for ``reach`` seconds."""
        return self._here().ledger

    def patient(self) -> Ledger:
        """Return this process's ledger that goes on trying for 10 s, as workers do."""
        return self._here().patient

    def steady(self, goes_on: Callable[[], bool]) -> Ledger:
        """Return this process's ledger that goes on trying for as long as ``goes_on`` says so."""
        here = self._here()
        if here.steady is None:
            client = here.patient.client
            here.steady = Ledger(client, namespace=self._namespace, goes_on=goes_on)
        return here.steady

    def waiting(self) -> StoreClient:
        """Return a client whose reads may block for long."""
        return self._here().waiting

    def _here(self) -> _Opened:
        """Return this process's clients; of threads that ask for the first time at once, one's."""
        if known := self._by_pid.get(os.getpid()):
            return known
        mine = self._by_pid.setdefault(os.getpid(), self._open())
        for pid in self._by_pid.keys() - {os.getpid()}:
            self._by_pid.pop(pid, None)
        return mine

    def _open(self) -> _Opened:
        client = opening.blocking(self._url, retry=None)
        patience = self._patience(BEYOND_ANY_BLOCK)
        return _Opened(
            Ledger(client, retry_for=self._reach, namespace=self._namespace),
            Ledger(client, namespace=self._namespace),
            opening.blocking(self._url, retry=None, **patience),
        )

    def _patience(self, seconds: float | None) -> dict[str, Any]:
        """Return what a client is made with whose reads wait; none waits in a Cluster."""
        if self._url.kind is ServerKind.cluster:
            return {}
        return {"socket_timeout": seconds, "max_connections": READERS}

    def on_loop(self) -> tuple[AsyncLedger, Any]:
        """Return the running loop's ledger and blocking-read client."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            opened = self._open_on(loop)
            # Run up to its only yield, without a wait: from there on the loop knows of it.
            with suppress(StopIteration):
                opened.__anext__().send(None)
            self._closing[loop] = opened
        return self._loops[loop]

    async def _open_on(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
        """Open clients that ``loop`` closes when it ends: it ends its generators before itself."""
        client = opening.on_loop(self._url, retry=None)
        # Without a timeout: redis-py's own may lose the cancellation of a read that waits.
        patience = self._patience(None)
        waiting = opening.on_loop(self._url, retry=None, **patience)
        ledger = AsyncLedger(client, retry_for=self._reach, namespace=self._namespace)
        self._loops[loop] = (ledger, waiting)
        try:
            yield
        finally:
            # A backend that is dropped while its loop goes on may have lost them already.
            self._loops.pop(loop, None), self._closing.pop(loop, None)
            await client.aclose()
            await waiting.aclose()
