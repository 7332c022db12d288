"""What a thread costs while it waits for an answer."""

from __future__ import annotations

import secrets
import uuid
from typing import TypedDict

import pytest
import redis

from checkpoint_redis.records import (
    CheckpointEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.saver import RedisSaver
from distgraph.constants import START
from distgraph.graph.state import StateGraph
from distgraph.types import Command, interrupt
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.thread_driver import LEASE, Driver, nonce
from workers import CeleryBackend

# Three channels, a checkpoint, a task and a question come to about 500 bytes of the user's own.
BUDGET = 2_048
AFTER_MANY_RUNS = 3_072

pytestmark = pytest.mark.redis


def test_a_small_interrupted_thread_stays_small(redis_client: redis.Redis, namespace: str) -> None:
    d = Driver(redis_client, namespace, str(uuid.uuid4()))
    cp, tid = str(uuid.uuid4()), str(uuid.uuid4())
    channels = {"messages@1.3": b"x" * 60, "topic@1": b"x" * 12, "decision@1": b"x"}
    checkpoint = CheckpointEntry(cp, b"x" * 250, 0, tuple(channels), channels)
    step = SuperstepEntry(nonce(), (checkpoint,), (TaskEntry(tid, b"x" * 90),), "go")
    d.start(step, str(uuid.uuid4()))
    d.claim(step.ep, tid)
    question = ResultEntry(tid, "", b"x" * 80, questions=(QuestionEntry(secrets.token_hex(16)),))
    d.ledger.complete(d.thread, "", step.ep, (question,), tok="t", tok2="a", lease_ms=LEASE)
    kept = d.stored() - {"e", "eb"}  # these expire by themselves
    sizes = {kind: d.client.memory_usage(d.thread.prefix + kind, samples=0) for kind in kept}
    assert sum(sizes.values()) <= BUDGET, sizes


def test_a_large_superstep_is_left_as_it_is_while_it_waits(
    redis_client: redis.Redis, namespace: str
) -> None:
    d = Driver(redis_client, namespace)
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a", blob=b"x" * 100_000)
    assert d.ask(ep, "b", "q1").closing == "paused"
    assert {"s:", "w:", "u:"} <= d.stored()
    assert d.answer("b", "q1").status == "go"


@pytest.mark.celery
@pytest.mark.parametrize("name", ["approval", "form"])
def test_a_graph_that_asks_costs_little_while_it_waits(
    redis_server: RedisServer, redis_client: redis.Redis, name: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace="dg")
    graph, thread_id = register(backend, (name,))[name], str(uuid.uuid4())
    with backend.worker():
        graph.invoke({"request": "refund 12"}, {"configurable": {"thread_id": thread_id}})
    RedisSaver(redis_client, namespace="dg").prune([thread_id])
    thread = backend.thread_key(thread_id)
    kept = set(redis_client.keys(f"{thread.prefix}*")) - {thread.events.encode()}
    sizes = {key: redis_client.memory_usage(key, samples=0) for key in kept}
    assert sum(size or 0 for size in sizes.values()) <= BUDGET, sizes


class Asked(TypedDict, total=False):
    n: int


def fail_at_length(state: Asked) -> Asked:
    raise ValueError("x" * 1_000_000)


@pytest.mark.celery
def test_failures_of_a_megabyte_cost_little_and_do_not_add_up(
    redis_server: RedisServer, redis_client: redis.Redis
) -> None:
    backend, thread_id = CeleryBackend(redis_server.url, namespace="dg"), str(uuid.uuid4())
    builder = StateGraph(Asked).add_node(fail_at_length).add_edge(START, "fail_at_length")
    graph, config = builder.compile(name="failing", backend=backend), on(thread_id)
    thread, sizes = backend.thread_key(thread_id), []
    with backend.worker():
        for _ in range(20):
            with pytest.raises(ValueError, match="characters"):
                graph.invoke({}, config)
            kept = redis_client.keys(f"{thread.prefix}*")
            sizes.append(sum(redis_client.memory_usage(key, samples=0) or 0 for key in kept))
    assert sizes[0] <= 200_000
    assert sizes[-1] - sizes[2] <= 20_000, sizes


def ask(state: Asked) -> Asked:
    return {"n": state.get("n", 0) + interrupt("go on?")}


@pytest.mark.celery
@pytest.mark.parametrize(("runs", "budget"), [(1, BUDGET), (100, AFTER_MANY_RUNS)])
def test_a_thread_that_waits_for_its_next_answer_stays_small(
    redis_server: RedisServer, redis_client: redis.Redis, runs: int, budget: int
) -> None:
    backend, thread_id = CeleryBackend(redis_server.url, namespace="dg"), str(uuid.uuid4())
    builder = StateGraph(Asked).add_node(ask).add_edge(START, "ask").add_edge("ask", "ask")
    graph, config = builder.compile(name="asking", backend=backend), on(thread_id)
    with backend.worker():
        graph.invoke({}, config)
        for _ in range(runs - 1):
            graph.invoke(Command(resume=1), config)
    RedisSaver(redis_client, namespace="dg").prune([thread_id])
    thread = backend.thread_key(thread_id)
    assert len(backend.ledger.runs(thread)) == min(runs, 21)
    assert graph.get_state(config).values.get("n", 0) == runs - 1
    kept = set(redis_client.keys(f"{thread.prefix}*")) - {thread.events.encode()}
    sizes = {key: redis_client.memory_usage(key, samples=0) for key in kept}
    assert sum(size or 0 for size in sizes.values()) <= budget, sizes
