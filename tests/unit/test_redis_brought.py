"""What a claim brings of the graph inside the task: who takes the task need not ask for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from checkpoint_redis.frames import FrameName
from checkpoint_redis.replies import ClaimedTask
from tests.support.frame_driver import INNER, Frame
from tests.support.thread_driver import Driver, superstep

pytestmark = pytest.mark.redis
HASH = FrameName(INNER).hash


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def started(d: Driver, *tids: str, inner: str = HASH) -> str:
    """Start a superstep whose tasks have the frame ``inner``; return its epoch."""
    step = superstep("cp", *tids)
    ep: str = d.start(replace(step, tasks=tuple(replace(t, inner=inner) for t in step.tasks))).ep
    return ep


def claimed(d: Driver, ep: str) -> ClaimedTask:
    (task,) = d.claim(ep, "a").tasks
    return task


def test_the_first_claim_tells_that_nothing_is_stored(d: Driver) -> None:
    brought = claimed(d, started(d, "a")).inner
    assert brought is not None
    name, stands = brought
    assert (name, stands and stands.header.ep, stands and stands.checkpoint) == (HASH, "", None)


def test_a_claim_brings_what_has_gone_up(d: Driver) -> None:
    frame, ep = Frame(d, INNER), started(d, "a")
    d.claim(ep, "a")
    frame.park(ep, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    task = claimed(d, ep)
    assert (task.risen, task.inner and task.inner[0]) == (HASH, HASH)
    stands = task.inner and task.inner[1]
    assert stands == frame.load()


def test_what_has_gone_up_is_brought_also_where_it_is_not_the_one_that_was_thought_of(
    d: Driver,
) -> None:
    frame, ep = Frame(d, f"{INNER}|1"), started(d, "a")
    d.claim(ep, "a")
    frame.park(ep, "x")
    frame.claim("x")
    frame.complete("x", asks=("q",))
    brought = claimed(d, ep).inner
    assert brought == (frame.hash, frame.load())


def test_of_a_node_that_is_no_graph_nothing_is_brought(d: Driver) -> None:
    assert claimed(d, started(d, "a", inner="")).inner is None


def test_a_claim_of_more_tasks_brings_none(d: Driver) -> None:
    ep = started(d, "a", "b")
    assert [task.inner for task in d.claim(ep, "a", "b").tasks] == [None, None]
