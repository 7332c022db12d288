"""A Redis Cluster of real servers: three that hold keys, and a replica of the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.redis_server import HOST, PORTS, RedisServer, free_port, is_free
from tests.support.waiting import wait_until

SLOTS, PRIMARIES = 16_384, 3
_BUS = 10_000
_OPTIONS = {
    "cluster_enabled": "yes",
    "cluster_node_timeout": "1000",
    "cluster_replica_validity_factor": "0",
}


class ClusterOfServers:
    """`servers`: those that hold keys, then the replica of the first."""

    def __init__(self, folder: Path) -> None:
        self.servers = [RedisServer(folder / str(n), **_OPTIONS) for n in range(PRIMARIES + 1)]
        for server in self.servers:
            server.port = _port()

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"{HOST}:{server.port}" for server in self.servers)

    def start(self) -> None:
        """Return when all slots are served, and the replica has what its primary has."""
        for server in self.servers:
            server.start()
        *primaries, replica = self.servers
        for number, server in enumerate(primaries):
            slots = range(number * SLOTS // PRIMARIES, (number + 1) * SLOTS // PRIMARIES)
            _say(server, "ADDSLOTS", *slots)
            _say(self.servers[0], "MEET", HOST, server.port)
        _say(self.servers[0], "MEET", HOST, replica.port)
        wait_until(lambda: all(map(self._knows_all, self.servers)), "the nodes to meet")
        _say(replica, "REPLICATE", _say(self.servers[0], "MYID").decode())
        wait_until(lambda: all(map(_is_well, self.servers)), "the cluster to be well")
        self.copied()

    def _knows_all(self, server: RedisServer) -> bool:
        lines = _say(server, "NODES").splitlines()
        return len(lines) == len(self.servers) and not any(b"handshake" in line for line in lines)

    def copied(self) -> None:
        """Return when the replica has everything that its primary has."""
        with self.servers[0].client() as client:
            wait_until(lambda: client.execute_command("WAIT", 1, 100), "the replica to follow")

    def fail_over(self) -> None:
        """Kill the first server, and return when its replica holds its keys."""
        self.copied()
        self.servers[0].kill()
        with self.servers[-1].client() as client:
            wait_until(lambda: client.role()[0] == b"master", "the fail-over")
        wait_until(lambda: all(map(_is_well, self.servers[1:])), "the cluster to be well again")

    def keys(self) -> dict[int, list[bytes]]:
        """Return the keys that each server holds, by its place."""
        found = {}
        for number, server in enumerate(self.servers[:PRIMARIES]):
            with server.client() as client:
                found[number] = list(client.scan_iter(count=1_000))
        return found

    def end(self) -> None:
        for server in self.servers:
            if server.alive:
                server.kill()


def _port() -> int:
    """Return a free port whose neighbour, over which nodes speak, is free and not the kernel's."""
    while True:
        port = free_port()
        if port + _BUS < PORTS.stop and is_free(port + _BUS):
            return port


def _say(server: RedisServer, *words: Any) -> Any:
    with server.client() as client:
        # redis-py reads some replies; the connection gives them as they are.
        connection: Any = client.connection_pool.get_connection()
        try:
            connection.send_command("CLUSTER", *words)
            return connection.read_response()
        finally:
            client.connection_pool.release(connection)


def _is_well(server: RedisServer) -> bool:
    return b"cluster_state:ok" in _say(server, "INFO")


@contextmanager
def cluster(folder: Path) -> Iterator[ClusterOfServers]:
    """Give a Cluster for the length of the block."""
    made = ClusterOfServers(folder)
    try:
        made.start()
        yield made
    finally:
        made.end()
