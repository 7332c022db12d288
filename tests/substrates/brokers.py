"""Brokers but Redis, beside a Redis that keeps the threads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.substrates.kit import version_of
from tests.substrates.places import running, server_of
from tests.substrates.row import Ground, Place
from tests.support.rabbitmq import rabbitmq
from tests.support.redis_server import executable


@contextmanager
def beside(ground: Ground, name: str, broker: Mapping[str, str]) -> Iterator[Place]:
    """Give a Redis beside a broker, which `broker` tells of in variables."""
    with running(server_of(ground, "")) as store:
        told = {"DISTGRAPH_REDIS": store.url, **broker}
        yield Place(f"{version_of(executable())}, {name}", told)


@contextmanager
def rabbit(ground: Ground) -> Iterator[Place]:
    with rabbitmq(ground.folder / "rabbitmq") as made:
        name = f"rabbitmq {made.control('version').strip()}"
        with beside(ground, name, {"DISTGRAPH_BROKER": made.url}) as place:
            yield place


@contextmanager
def filesystem(ground: Ground) -> Iterator[Place]:
    """Give a broker that is two folders."""
    messages, control = ground.folder / "messages", ground.folder / "control"
    for folder in (messages, control):
        folder.mkdir()
    options = {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
    }
    told = {"DISTGRAPH_BROKER": "filesystem://", "DISTGRAPH_BROKER_OPTIONS": json.dumps(options)}
    with beside(ground, "kombu's filesystem", told) as place:
        yield place
