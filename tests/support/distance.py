"""Puts a server at a distance: a relay that hands everything on later, in both directions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.redis_server import RedisServer


@contextmanager
def far_away(server: RedisServer, seconds: float) -> Iterator[str]:
    """Give the URL of `server` with a round trip that takes `seconds` more."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    relay = _Relay(server.port, seconds / 2)
    port = asyncio.run_coroutine_threadsafe(relay.open(), loop).result()
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        asyncio.run_coroutine_threadsafe(relay.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Relay:
    def __init__(self, port: int, delay: float) -> None:
        self._port, self._delay = port, delay
        self._carried: set[asyncio.Task[Any]] = set()

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        self._server.close()
        for task in self._carried:
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection("127.0.0.1", self._port)
        for source, to in ((near, there), (far, back)):
            self._carried.add(asyncio.create_task(self._relay(source, to)))

    async def _relay(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await source.read(65_536):
                loop.call_later(self._delay, to.write, data)
            loop.call_later(self._delay, to.close)
        except asyncio.CancelledError:
            to.close()
