"""Settings: arguments first, then DISTGRAPH_* environment variables, then these defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, TypedDict

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import TypeVar

from checkpoint_redis.servers.url import RedisUrl, store_of
from distgraph._allowed import CheckedLater

from .addresses import BrokerSettings, told

T = TypeVar("T")
Setting = Annotated[T, CheckedLater()]
"""The type of a setting for type checkers; pydantic checks it, and takes "10" for 10."""


class MoreSettings(TypedDict, total=False):
    """The settings that are no arguments of a backend's own; ``Settings`` says what they mean."""

    broker_options: Setting[Mapping[str, Any]]
    lease: Setting[float]
    heartbeat: Setting[float]
    grace: Setting[float | None]
    sweep: Setting[float]
    max_lost: Setting[int]
    async_concurrency: Setting[int]
    max_value_bytes: Setting[int]
    reach: Setting[float]
    metadata_keys: Setting[Sequence[str]]


class Settings(BaseSettings):
    """How a backend works; times in seconds, sizes in bytes.

    ``redis``: where threads live. ``broker``: what Celery speaks to, by default the same Redis.
    ``broker_options``: Celery's ``broker_transport_options``, and options of TLS (``ssl_...``).
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
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="DISTGRAPH_", extra="forbid", hide_input_in_errors=True
    )

    redis: str = "redis://localhost:6379/0"
    broker_options: dict[str, Any] = {}
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
        store_of(url)
        return url

    @field_validator("broker")
    @classmethod
    def _of_a_broker(cls, urls: str, before: ValidationInfo) -> str:
        if urls:
            told(urls, before.data.get("broker_options"))
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

    @property
    def store(self) -> RedisUrl:
        """Where threads live."""
        return store_of(self.redis)

    @property
    def celery(self) -> BrokerSettings:
        """What Celery is told of its broker; ValueError where that would be a Redis Cluster."""
        return told(self.broker or self.redis, self.broker_options)
