"""The checkpointer for LangGraph passes the suite that LangGraph publishes for checkpointers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate

from checkpoint_redis.langgraph import AsyncRedisCheckpointer, RedisCheckpointer
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.redis

Factory = Callable[[str, str], AsyncIterator[BaseCheckpointSaver[str]]]


async def blocking(url: str, namespace: str) -> AsyncIterator[BaseCheckpointSaver[str]]:
    with RedisCheckpointer.from_conn_string(url, namespace=namespace) as saver:
        yield saver


async def on_loop(url: str, namespace: str) -> AsyncIterator[BaseCheckpointSaver[str]]:
    async with AsyncRedisCheckpointer.from_conn_string(url, namespace=namespace) as saver:
        yield saver


@pytest.mark.parametrize("made", [blocking, on_loop])
async def test_every_capability_is_there_and_passes(
    made: Factory, redis_server: RedisServer, namespace: str
) -> None:
    named = checkpointer_test(name=namespace)(lambda: made(redis_server.url, namespace))
    found = (await validate(named)).results
    assert {name: each.failures for name, each in found.items() if not each.passed} == {}
    assert set(found) >= {"put", "put_writes", "get_tuple", "list", "delete_thread"}
    assert {"delete_for_runs", "copy_thread", "prune"} <= set(found)
