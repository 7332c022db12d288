"""A master, its replica, and a real Sentinel that puts the one in the place of the other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.support.processes import Process
from tests.support.redis_server import HOST, RedisServer, executable, free_port
from tests.support.waiting import wait_until

MASTER = "main"
_RULES = """
port {port}
bind {host}
dir {folder}
sentinel monitor {master} {host} {watched} 1
sentinel down-after-milliseconds {master} 500
sentinel failover-timeout {master} 5000
"""


class Watched:
    """`servers`: the master at the start and its replica; `url` names a dead Sentinel first."""

    def __init__(self, folder: Path) -> None:
        self.servers = (RedisServer(folder / "one"), RedisServer(folder / "two"))
        self.port, self._folder = free_port(), folder
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"sentinel://{HOST}:{free_port()},{HOST}:{self.port}/{MASTER}/0"

    def start(self) -> None:
        """Return when the Sentinel knows both."""
        for server in self.servers:
            server.start()
        first, second = self.servers
        with second.client() as client:
            client.replicaof(HOST, str(first.port))
        rules = self._folder / "sentinel.conf"
        rules.write_text(
            _RULES.format(
                port=self.port,
                host=HOST,
                folder=self._folder,
                master=MASTER,
                watched=first.port,
            )
        )
        command = [executable(), str(rules), "--sentinel"]
        self._process = Process(command, log=self._folder / "sentinel.log")
        wait_until(lambda: self._seen().get("num-slaves") == 1, "the Sentinel to see the replica")
        self.copied()

    def copied(self) -> None:
        """Return when the replica has everything that the first server has."""
        with self.servers[0].client() as client:
            wait_until(lambda: client.execute_command("WAIT", 1, 100), "the replica to follow")

    def fail_over(self) -> None:
        """Kill the master, and return when the Sentinel names the other one."""
        self.copied()
        self.servers[0].kill()
        wait_until(lambda: self._seen().get("port") == self.servers[1].port, "the fail-over")

    def end(self) -> None:
        for each in (self._process, *(s.process for s in self.servers if s.alive)):
            if each is not None:
                each.kill()

    def _seen(self) -> dict[str, Any]:
        with (
            redis.Redis(host=HOST, port=self.port) as client,
            contextlib.suppress(redis.RedisError),
        ):
            found: Any = client.sentinel_masters()
            return dict(found.get(MASTER, {}))
        return {}


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Give a master with a replica and a Sentinel, for the length of the block."""
    made = Watched(folder)
    try:
        made.start()
        yield made
    finally:
        made.end()
