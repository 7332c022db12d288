"""Settings: arguments first, then DISTGRAPH_* environment variables, then these defaults."""

from __future__ import annotations

import math
from typing import Annotated, Self

from kombu.transport import TRANSPORT_ALIASES
from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.connection import ConnectionPool

_SCHEMES = {*TRANSPORT_ALIASES, "unix"}


class Settings(BaseSettings):
    """How a backend works; times in seconds, sizes in bytes.

    ``redis``: where threads live. ``broker``: what Celery speaks to, by default the same Redis.
    ``lease``: how long a silent worker keeps its tasks. ``heartbeat``: how often it speaks.
    ``grace``: how long a process that ends, or is given back by its pool, waits for the coroutine
    nodes that it runs before others begin them again; None: as long as Celery waits for blocking
    ones. ``sweep``: how often overdue work is looked for. ``max_lost``: how many vanished attempts
    of a task are tolerated. ``async_concurrency``: coroutine nodes at once in one worker process.
    ``reach``: how long a client waits for Redis or the broker to be reachable. ``metadata_keys``:
    by which of their metadata threads are found without looking at others; the same in all
    processes of a namespace.
    """

    # An URL may hold a password.
    model_config = SettingsConfigDict(
        env_prefix="DISTGRAPH_", extra="forbid", hide_input_in_errors=True
    )

    redis: str = "redis://localhost:6379/0"
    broker: str = ""
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "dg"
    lease: Annotated[float, Field(gt=0)] = 10.0
    heartbeat: Annotated[float, Field(gt=0)] = 3.0
    grace: Annotated[float | None, Field(ge=0)] = None
    sweep: Annotated[float, Field(gt=0)] = 1.0
    max_lost: Annotated[int, Field(ge=0)] = 3
    async_concurrency: Annotated[int, Field(gt=0)] = 100
    max_value_bytes: Annotated[int, Field(gt=0)] = 16 * 2**20
    reach: Annotated[float, Field(gt=0)] = 3.0
    metadata_keys: Annotated[tuple[str, ...], Field(max_length=7)] = (
        *("graph_id", "assistant_id"),
        "tenant",
    )

    @field_validator("redis")
    @classmethod
    def _of_a_redis(cls, url: str) -> str:
        try:
            ConnectionPool.from_url(url)
        except ValueError:  # which quotes what it takes for a port: it may be part of a password
            msg = (
                "this is no URL of a Redis. It looks like redis://user:password@host:6379/0, "
                "rediss://... with TLS, or unix:///path/to.sock; in a password /, #, ?, : and @ "
                "are written as %2F, %23, %3F, %3A and %40."
            )
            raise ValueError(msg) from None
        return url

    @field_validator("broker")
    @classmethod
    def _of_a_broker(cls, urls: str) -> str:
        for url in filter(None, urls.split(";")):
            scheme, found, _ = url.partition("://")
            if not found or scheme.partition("+")[0] not in _SCHEMES:
                known = ", ".join(sorted(name for name in _SCHEMES if name.islower()))
                msg = f"this is no URL of a broker that kombu knows. It begins with one of {known}."
                raise ValueError(msg)
        return urls

    @model_validator(mode="after")
    def _heartbeats_in_time(self) -> Self:
        """A lease must outlast a heartbeat that is late or lost."""
        if self.lease < 2 * self.heartbeat:
            msg = (
                f"lease={self.lease:g} must be at least 2 x heartbeat={self.heartbeat:g}: else a "
                "worker that lives loses its tasks. Shorten the heartbeat, or lengthen the lease."
            )
            raise ValueError(msg)
        return self

    @property
    def longest_grace(self) -> float:
        """The grace in seconds, infinite where only Celery bounds it."""
        return math.inf if self.grace is None else self.grace

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds, as the scripts take it."""
        return int(self.lease * 1000)
