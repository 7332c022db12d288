"""Redis and its relatives, as store and as broker."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.substrates import EMBEDDED
from tests.substrates.kit import version_of
from tests.substrates.row import Ground, Place
from tests.support.cluster import cluster
from tests.support.redis_server import RedisServer, executable, free_port
from tests.support.sentinels import watched
from tests.support.tls import AUTHORITY, CERTIFICATE, HOST

DEBIANS = "/usr/bin/redis-server"
_WHICH = "from workers.embedded.server import executable; print(executable())"


@contextmanager
def embedded(ground: Ground) -> Iterator[Place]:
    """Give the embedded Redis, which the processes of the row start and stop themselves."""
    command = [str(ground.python), "-c", _WHICH]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    yield Place(version_of(found), {EMBEDDED: str(ground.folder / "home")})


def server_of(ground: Ground, program: str, **options: str) -> RedisServer:
    return RedisServer(ground.folder / "redis", program=program, **options)


@contextmanager
def running(server: RedisServer) -> Iterator[RedisServer]:
    """Start a server for the length of the block."""
    try:
        yield server.start()
    finally:
        server.process.end()


def installed(program: str) -> Callable[[Ground], AbstractContextManager[Place]]:
    """Return the place of a server that is installed."""

    @contextmanager
    def place(ground: Ground) -> Iterator[Place]:
        with running(server_of(ground, program)) as server:
            yield Place(version_of(program), {"DISTGRAPH_REDIS": server.url})

    return place


def from_wheel(package: str, name: str) -> Callable[[Ground], AbstractContextManager[Place]]:
    """Return the place of a server that a wheel brings."""
    return lambda ground: installed(ground.kit.program(package, name))(ground)


@contextmanager
def sentinels(ground: Ground) -> Iterator[Place]:
    """Give a master, its replica and a Sentinel, as store and as broker; the master is killed."""
    with watched(ground.folder) as made:
        url = {"DISTGRAPH_REDIS": made.url}
        yield Place(
            f"{version_of(executable())} x 2", url, harm=made.fail_over, harmed="a fail-over"
        )


@contextmanager
def three_nodes(ground: Ground) -> Iterator[Place]:
    """Give a Cluster as the store, and a Redis as the broker; a node with a replica is killed."""
    with cluster(ground.folder / "nodes") as made, running(server_of(ground, "")) as broker:
        urls = {"DISTGRAPH_REDIS": made.url, "DISTGRAPH_BROKER": broker.url}
        yield Place(
            f"{version_of(executable())} x 4", urls, harm=made.fail_over, harmed="a fail-over"
        )


@contextmanager
def tls(ground: Ground) -> Iterator[Place]:
    """Give a server that speaks TLS, whose certificate an authority of the tests' own signed."""
    port, certificate = str(free_port()), str(CERTIFICATE)
    options = {
        "tls_port": port,
        "tls_cert_file": certificate,
        "tls_key_file": certificate,
        "tls_ca_cert_file": str(AUTHORITY),
        "tls_auth_clients": "no",
    }
    with running(server_of(ground, DEBIANS, **options)):
        url = f"rediss://{HOST}:{port}/0?ssl_ca_certs={AUTHORITY}"
        yield Place(version_of(DEBIANS), {"DISTGRAPH_REDIS": url})
