"""The savers over Redis do what the conformance suite says, on a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from checkpoint_redis.saver import AsyncRedisSaver, RedisSaver
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.conformance import SaverConformance
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.redis


class TestRedisSaver(SaverConformance):
    @pytest.fixture
    def saver(self, redis_server: RedisServer, namespace: str) -> Iterator[BaseCheckpointSaver]:
        with RedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
            yield saver


class TestAsyncRedisSaver(SaverConformance):
    @pytest.fixture
    async def saver(
        self, redis_server: RedisServer, namespace: str
    ) -> AsyncIterator[BaseCheckpointSaver]:
        async with AsyncRedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
            yield saver
