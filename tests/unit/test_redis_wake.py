"""A read that is blocked is woken by a key of its own."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis import commands, keys
from checkpoint_redis.ledger import Ledger

pytestmark = pytest.mark.redis


def test_a_key_that_wakes_has_one_entry_and_lapses(
    redis_client: redis.Redis, namespace: str
) -> None:
    key = keys.wake(namespace, "me")
    for _ in range(3):
        assert Ledger(redis_client).call(commands.wake(key))
    assert redis_client.xlen(key) == 1
    assert 15_000 < redis_client.pttl(key) <= 60_000
