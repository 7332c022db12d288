"""What a fan-out stores and moves: each packet once, and to the one task that it is for."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, TypedDict

import pytest
import redis

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base.types import TASKS
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import END, START, StateGraph
from distgraph.types import Send, interrupt
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from workers import CeleryBackend

KB = 1_000
SIZE = 10 * KB
WIDE = 5_000


class State(TypedDict, total=False):
    width: int
    lengths: Annotated[list[int], operator.add]


def packet(n: int) -> str:
    """Return a text of 10,000 characters that no other packet has."""
    return f"{n:010d}" * (SIZE // 10)


def split(state: State) -> list[Send]:
    return [Send("measure", packet(n)) for n in range(state["width"])]


def measure(given: str) -> State:
    assert given == packet(int(given[:10]))
    return {"lengths": [len(given)]}


def from_the_start() -> StateGraph[State]:
    """Return a fan-out by the path function of the input."""
    builder = StateGraph(State).add_node("measure", measure)
    return builder.add_conditional_edges(START, split, ["measure"])


def from_a_node() -> StateGraph[State]:
    """Return a fan-out by the path function of a node."""
    builder = StateGraph(State).add_node("measure", measure).add_node("split", lambda _: {})
    builder.add_edge(START, "split")
    return builder.add_conditional_edges("split", split, ["measure"])


def routed(choose: Callable[[State], str] | None) -> StateGraph[State]:
    """Return a fan-out to a node, behind which a path function may choose."""
    builder = StateGraph(State).add_node("work", lambda n: {"lengths": [n]})
    builder.add_conditional_edges(
        START, lambda state: [Send("work", i) for i in range(state["width"])], ["work"]
    )
    return builder.add_conditional_edges("work", choose) if choose else builder


def asks(given: str) -> State:
    return {"lengths": [len(interrupt(given[:10]))]}


def asking() -> StateGraph[State]:
    builder = StateGraph(State).add_node("measure", asks)
    return builder.add_conditional_edges(START, split, ["measure"])


def on(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


@pytest.fixture
def saver(redis_server: RedisServer, namespace: str) -> RedisSaver:
    return RedisSaver(redis_server.url, namespace=namespace)


# --- in this process ------------------------------------------------------------------------------

SAVERS: dict[str, Callable[[], AbstractContextManager[BaseCheckpointSaver]]] = {
    "memory": lambda: nullcontext(InMemorySaver()),
    "sqlite": lambda: SqliteSaver.from_conn_string(":memory:"),
}


def run_wide(build: Callable[[], StateGraph[State]], thread_id: str, **plug: Any) -> None:
    graph = build().compile(**plug)
    assert graph.invoke({"width": WIDE}, on(thread_id))["lengths"] == [SIZE] * WIDE
    history = list(graph.get_state_history(on(thread_id)))
    assert len(history) == 3 + (build is from_a_node)


@pytest.mark.parametrize("build", [from_the_start, from_a_node])
@pytest.mark.parametrize("local", SAVERS)
def test_a_packet_is_too_large_by_itself_or_not_at_all(
    local: str, build: Callable[[], StateGraph[State]], thread_id: str
) -> None:
    with SAVERS[local]() as saver:
        run_wide(build, thread_id, checkpointer=saver)


@pytest.mark.redis
@pytest.mark.parametrize("build", [from_the_start, from_a_node])
def test_so_it_is_with_the_saver_on_redis(
    saver: RedisSaver, build: Callable[[], StateGraph[State]], thread_id: str
) -> None:
    run_wide(build, thread_id, checkpointer=saver)
    saver.delete_thread(thread_id)


# --- on workers -----------------------------------------------------------------------------------


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> CeleryBackend:
    return CeleryBackend(redis_server.url, namespace=namespace)


def keys_of(client: Any, backend: CeleryBackend, thread_id: str) -> list[bytes]:
    return sorted(client.keys(f"{backend.thread_key(thread_id).prefix}*"))


def stored(client: Any, backend: CeleryBackend, thread_id: str) -> int:
    """Return the bytes of memory that all keys of a thread take."""
    found = keys_of(client, backend, thread_id)
    return sum(client.memory_usage(key, samples=0) or 0 for key in found)


def moved(client: Any, call: Callable[[], Any]) -> int:
    """Return how many bytes go to Redis and come from it during ``call``."""

    def seen() -> int:
        stats = client.info("stats")
        return int(stats["total_net_input_bytes"] + stats["total_net_output_bytes"])

    before = seen()
    call()
    return seen() - before


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.slow
@pytest.mark.parametrize("build", [from_the_start, from_a_node])
def test_so_it_is_on_workers(
    backend: CeleryBackend, build: Callable[[], StateGraph[State]], thread_id: str
) -> None:
    graph = build().compile(name=build.__name__, backend=backend)
    with backend.worker():
        assert graph.invoke({"width": WIDE}, on(thread_id))["lengths"] == [SIZE] * WIDE
    backend.thread(thread_id).delete()


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.slow
def test_a_path_behind_a_fan_out_costs_what_it_reads(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    width, plain = 1_600, routed(None).compile(name="plain", backend=backend)
    chosen = routed(lambda _: END).compile(name="routed", backend=backend)
    with backend.worker():
        for graph in (plain, chosen):
            graph.invoke({"width": 10}, on(f"warm {graph.name}"))
        of_plain = moved(redis_client, lambda: plain.invoke({"width": width}, on("plain")))
        of_chosen = moved(redis_client, lambda: chosen.invoke({"width": width}, on("routed")))
    assert of_chosen <= 1.5 * of_plain, (of_chosen / width, of_plain / width)


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.slow
@pytest.mark.parametrize("build", [from_the_start, from_a_node])
def test_packets_are_stored_once(
    backend: CeleryBackend,
    redis_client: redis.Redis,
    build: Callable[[], StateGraph[State]],
    thread_id: str,
) -> None:
    graph = build().compile(name=build.__name__, backend=backend, interrupt_before=["measure"])
    with backend.worker():
        graph.invoke({"width": 1_000}, on(thread_id))
        waiting = stored(redis_client, backend, thread_id)
    graph.submit(None, on(thread_id))
    queued = stored(redis_client, backend, thread_id)
    with backend.worker():
        wait_until(lambda: backend.thread(thread_id).status == "idle", "the run has ended")
    done = stored(redis_client, backend, thread_id)
    backend.thread(thread_id).delete()
    assert keys_of(redis_client, backend, thread_id) == []
    assert max(waiting, queued, done) <= 1.15 * 1_000 * SIZE, (waiting, queued, done)


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.slow
def test_packets_whose_tasks_ask_are_stored_once(
    backend: CeleryBackend, redis_client: redis.Redis, thread_id: str
) -> None:
    graph = asking().compile(name="asking", backend=backend)
    with backend.worker():
        graph.invoke({"width": 1_000}, on(thread_id))
    assert stored(redis_client, backend, thread_id) <= 1.15 * 1_000 * SIZE
    backend.thread(thread_id).delete()


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.parametrize("width", [3, 40])
def test_a_fork_keeps_its_packets_when_what_it_came_from_is_pruned(
    saver: RedisSaver, backend: CeleryBackend, thread_id: str, width: int
) -> None:
    graph = from_a_node().compile(name="forked", backend=backend, interrupt_before=["measure"])
    with backend.worker():
        graph.invoke({"width": width}, on(thread_id))
        graph.update_state(on(thread_id), None, as_node="__copy__")
        saver.prune([thread_id])
        assert len(list(graph.get_state_history(on(thread_id)))) == 1
        sends = saver.get(on(thread_id))
        assert sends is not None
        assert sends["channel_values"]["__pregel_tasks"] == split({"width": width})
        saver.copy_thread(thread_id, f"{thread_id} copy")
        for each in (thread_id, f"{thread_id} copy"):
            assert graph.invoke(None, on(each))["lengths"] == [SIZE] * width


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.parametrize("width", [3, 40])
def test_packets_go_with_their_checkpoint(
    saver: RedisSaver,
    redis_client: redis.Redis,
    backend: CeleryBackend,
    thread_id: str,
    width: int,
) -> None:
    graph = from_a_node().compile(name="pruned", backend=backend)
    with backend.worker():
        graph.invoke({"width": width}, on(thread_id))
    assert stored(redis_client, backend, thread_id) > width * SIZE
    saver.prune([thread_id])
    assert stored(redis_client, backend, thread_id) < width * SIZE / 2
    kinds = {key.rpartition(b":")[2] for key in keys_of(redis_client, backend, thread_id)}
    assert kinds <= {b"h", b"c", b"e"}, kinds


def of(run: str, thread_id: str) -> Any:
    return {**on(thread_id), "metadata": {"run_id": run}}


def sent(saver: RedisSaver, config: Any) -> list[Any]:
    """Return the packets among what the tasks left that ran from a checkpoint."""
    found = saver.get_tuple(config)
    assert found is not None
    return [value for _, name, value in found.pending_writes or () if name == TASKS]


@pytest.mark.redis
@pytest.mark.celery
@pytest.mark.parametrize("width", [3, 40])
def test_a_fork_stays_readable_without_what_was_sent_to_the_other_one(
    saver: RedisSaver, backend: CeleryBackend, thread_id: str, width: int
) -> None:
    graph = from_a_node().compile(name="parted", backend=backend, interrupt_before=["split"])
    with backend.worker():
        graph.invoke({"width": width}, of("one", thread_id))
        forked = graph.get_state(on(thread_id)).config
        graph.invoke(None, of("two", thread_id))
    graph.update_state(forked, None, as_node="__copy__")
    assert sent(saver, forked) == split({"width": width})
    saver.delete_for_runs(["two"])
    assert sent(saver, forked) == []
    for history in (graph.get_state_history(on(thread_id)), saver.list(on(thread_id))):
        assert len(list(history)) == 3
    saver.copy_thread(thread_id, f"{thread_id} copy")
    assert len(list(graph.get_state_history(on(f"{thread_id} copy")))) == 3
