"""What a thread costs while it waits for an answer."""

from __future__ import annotations

import secrets
import uuid

import pytest
import redis

from checkpoint_redis.records import CheckpointEntry, Finished, Superstep, TaskEntry
from tests.support.thread_driver import LEASE, Driver, nonce

# Three channels, a checkpoint, a task and a question come to about 500 bytes of the user's own.
BUDGET = 2_048

pytestmark = pytest.mark.redis


def test_a_small_interrupted_thread_stays_small(redis_client: redis.Redis, namespace: str) -> None:
    d = Driver(redis_client, namespace, str(uuid.uuid4()))
    cp, tid = str(uuid.uuid4()), str(uuid.uuid4())
    channels = {"messages@1.3": b"x" * 60, "topic@1": b"x" * 12, "decision@1": b"x"}
    checkpoint = CheckpointEntry(cp, b"x" * 250, 0, tuple(channels), channels)
    step = Superstep(nonce(), (checkpoint,), (TaskEntry(tid, b"x" * 90),), "go", 25)
    d.start(step, str(uuid.uuid4()))
    d.claim(step.ep, tid)
    question = Finished(tid, "", b"x" * 80, questions=((secrets.token_hex(16), 0),))
    d.ledger.complete(d.thread, "", step.ep, (question,), tok="t", tok2="a", lease_ms=LEASE)
    kept = d.stored() - {"e", "eb"}  # these expire by themselves
    sizes = {kind: d.client.memory_usage(d.thread.prefix + kind, samples=0) for kind in kept}
    assert sum(sizes.values()) <= BUDGET, sizes
