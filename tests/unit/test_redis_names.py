"""Names and ids of threads, graphs, runs and checkpoints: as long and as odd as they may be."""

from __future__ import annotations

import pytest
import redis

from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Limit
from tests.support.thread_driver import Driver, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def test_a_graph_named_like_the_end_of_a_header_is_no_thread(d: Driver) -> None:
    for name in ("h", "x:h"):
        thread = Thread(d.thread.namespace, name)
        d.ledger.start(
            thread, "run", superstep("cp-0", "a"), expect="", graph=name, fp="1", queue="queue"
        )
    cursor, found = 0, set()
    while True:
        cursor, some = d.ledger.scan(d.thread.namespace, cursor)
        found |= {thread.x for thread in some}
        if not cursor:
            break
    assert found == {Thread(d.thread.namespace, name).x for name in ("h", "x:h")}


def test_an_answer_with_the_longest_id_joins_a_run_with_the_longest(d: Driver) -> None:
    run, step = "r" * Limit.run_id, superstep("cp-0", "a", "b")
    d.ledger.start(d.thread, run, step, expect="", graph="graph", fp="1", queue="queue")
    d.claim(step.ep, "a")
    d.ask(step.ep, "a", "q1")
    reply = d.answer("a", "q1", run="s" * Limit.run_id)
    assert (reply.status, reply.run) == ("joined", run)


@pytest.mark.parametrize("length", [Limit.line_checkpoint, Limit.line_checkpoint + 1, 300])
def test_a_run_that_ended_at_a_checkpoint_with_a_long_id_is_remembered(
    d: Driver, length: int
) -> None:
    run, cp = "r" * Limit.run_id, "c" * length
    d.start(superstep(cp, outcome="end"), run)
    assert d.start(superstep("cp-1", outcome="end"), "another", expect=cp).status == "end"
    (_, before) = d.ledger.runs(d.thread)
    assert before.run == run
    assert before.cp == (cp if length == Limit.line_checkpoint else "")


@pytest.mark.parametrize("thread_id", ["", "x" * 10_000, "a\0{b}:|*é😀", "\udc80"])
def test_a_thread_id_may_hold_anything(
    redis_client: redis.Redis, namespace: str, thread_id: str
) -> None:
    driver = Driver(redis_client, namespace, thread_id)
    driver.started("a")
    header = driver.ledger.header(driver.thread)
    assert header is not None
    assert header.thread_id == thread_id
