"""A command that is repeated because its reply was lost answers as it did, or that it was done."""

from __future__ import annotations

import pytest
import redis

from tests.support.thread_driver import LEASE, Driver, nonce

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def test_a_repeated_cancel_is_known_again(d: Driver) -> None:
    d.started("a")
    replies = [d.ledger.cancel(d.thread, "", ep=nonce()) for _ in range(2)]
    assert [(reply.status, reply.run) for reply in replies] == [("cancelled", "run")] * 2


def test_a_repeated_claim_of_the_advance_gives_it_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.sweep(after_ms=LEASE + 1)
    assert d.claim_advance(ep, "second") == d.claim_advance(ep, "second")
    assert d.claim_advance(ep, "third").status == "busy"


def test_a_repeated_failure_is_known_again(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert [d.fail(ep, "a") for _ in range(2)] == ["failed", "failed"]


def test_a_failure_after_a_result_is_noise(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    assert d.fail(ep, "a") == "stale"
    assert d.states() == {"a": "D", "b": "R"}
