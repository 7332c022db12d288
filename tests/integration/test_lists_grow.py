"""A conversation on workers is stored once, and a superstep costs what is new of it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest
import redis

from checkpoint_redis.saver import RedisSaver
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, Overwrite, StateUpdate
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend

pytestmark = pytest.mark.celery
SIZE, LENGTH, LARGE = 1_000, 1_000, 5_000
# Nobody dies here: what looks for that has no place among what is counted.
NOBODY_SWEEPS: dict[str, Any] = {"lease": 600.0, "heartbeat": 200.0, "sweep": 3_600.0}
NO_STREAM = (b":e", b":eb")


class State(TypedDict, total=False):
    """A conversation of `length` messages."""

    length: int
    said: Annotated[list[Any], operator.add]


class Cost(NamedTuple):
    """What a server has done so far."""

    scripts: int
    received: int
    sent: int


def cost(client: redis.Redis) -> Cost:
    info: Any = client.info("all")
    received, sent = info["total_net_input_bytes"], info["total_net_output_bytes"]
    return Cost(info["cmdstat_evalsha"]["calls"], received, sent)


def message(n: int, size: int = LARGE) -> dict[str, Any]:
    return {"role": "user", "content": f"{n:0{size}d}", "id": f"{n:036d}"}


def conversation(
    look: Callable[[int], None] = lambda _: None, size: int = LARGE
) -> StateGraph[Any]:
    """Return a graph that says a message per superstep; `look` is told how many there are."""

    def say(state: State) -> dict[str, Any]:
        look(len(state["said"]))
        return {"said": [message(len(state["said"]), size)]}

    def more(state: State) -> str:
        return "say" if len(state["said"]) < state["length"] else END

    builder = StateGraph(State)
    builder.add_node("say", say)
    builder.add_edge(START, "say")
    builder.add_conditional_edges("say", more, ["say", END])
    return builder


@pytest.mark.slow
def test_a_thousand_messages_take_twice_their_bytes_and_each_costs_what_the_first_did(
    new_redis: Callable[..., RedisServer],
) -> None:
    server = new_redis()
    with server.client() as client:
        costs: dict[int, Cost] = {}

        def look(n: int) -> None:
            if n in (1, 100, LENGTH - 100, LENGTH - 1):
                costs[n] = cost(client)

        backend = CeleryBackend(server.url, **NOBODY_SWEEPS)
        graph = conversation(look, SIZE).compile(name="conversation", backend=backend)
        with backend.worker():
            config = {**on("t"), "recursion_limit": LENGTH + 1}
            done = graph.invoke({"length": LENGTH, "said": []}, config)
        assert done["said"] == [message(n, SIZE) for n in range(LENGTH)]
        prefix = backend.thread_key("t").prefix.encode()
        keys = [key for key in client.scan_iter(prefix + b"*") if not key.endswith(NO_STREAM)]
        assert sum(client.memory_usage(key, samples=0) or 0 for key in keys) <= 2_100_000
    for first, last in zip(*between(costs, (1, 100), (LENGTH - 100, LENGTH - 1)), strict=True):
        assert last <= 1.5 * first


def between(costs: dict[int, Cost], *pairs: tuple[int, int]) -> list[tuple[int, ...]]:
    return [tuple(b - a for a, b in zip(costs[x], costs[y], strict=True)) for x, y in pairs]


@pytest.fixture
def graph(redis_server: RedisServer, namespace: str) -> Any:
    """Return the graph on a backend that has no worker yet."""
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    return conversation().compile(name="conversation", backend=backend)


def said(graph: Any, config: Any) -> list[Any]:
    found: list[Any] = graph.get_state(config).values["said"]
    return found


def test_runs_that_fork_from_one_checkpoint_leave_each_other_alone(graph: Any) -> None:
    with graph.backend.worker():
        graph.invoke({"length": 4, "said": []}, on("t"))
        head = graph.get_state(on("t")).config
        graph.invoke({"length": 6}, on("t"))
        left = graph.get_state(on("t")).config
        fork = graph.update_state(head, {"said": [message(-1)], "length": 8}, "say")
        graph.invoke(None, fork)
    assert said(graph, head) == [message(n) for n in range(4)]
    assert said(graph, left) == [message(n) for n in range(6)]
    assert said(graph, on("t")) == [*map(message, range(4)), message(-1), *map(message, (5, 6, 7))]
    history = [len(state.values.get("said", ())) for state in graph.get_state_history(on("t"))]
    assert history == [8, 7, 6, 5, 6, 5, 4, 4, 4, 3, 2, 1, 0, 0]


def test_a_worker_that_a_fail_over_left_behind_reads_what_is_stored(
    graph: Any, redis_client: redis.Redis
) -> None:
    prefix = graph.backend.thread_key("t").prefix.encode()
    with graph.backend.worker():
        graph.invoke({"length": 3, "said": []}, on("t"))
        before = {key: redis_client.dump(key) for key in redis_client.keys(prefix + b"*")}
        graph.invoke({"length": 6}, on("t"))
        redis_client.delete(*redis_client.keys(prefix + b"*"))
        for key, dumped in before.items():
            redis_client.restore(key, 0, dumped or b"")
        graph.update_state(on("t"), {"said": [message(-1)]}, "say")
        done = graph.invoke({"length": 7}, on("t"))
    assert done["said"] == [*map(message, (0, 1, 2)), message(-1), *map(message, (4, 5, 6))]


class Heard(State, total=False):
    """What two nodes heard of a conversation at once."""

    heard: Annotated[list[Any], operator.add]


def overheard() -> StateGraph[Any]:
    """Return a graph in which two nodes hear a message; a claim brings a part of the state."""

    def say(state: Heard) -> dict[str, Any]:
        return {"said": [message(len(state["said"]))]}

    def hear(state: State) -> dict[str, Any]:
        return {"heard": [[each["id"] for each in state["said"]]]}

    builder = StateGraph(Heard)
    builder.add_node("say", say)
    builder.add_edge(START, "say")
    for name in ("one", "other"):
        builder.add_node(name, hear, input_schema=State)
        builder.add_edge("say", name)
    return builder


def test_a_part_of_the_state_has_no_list_that_a_fail_over_lost(
    redis_server: RedisServer, redis_client: redis.Redis, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    graph = overheard().compile(name="overheard", backend=backend)
    prefix = backend.thread_key("t").prefix.encode()
    with backend.worker():
        for _ in range(3):
            graph.invoke({"said": []}, on("t"))
        before = {key: redis_client.dump(key) for key in redis_client.keys(prefix + b"*")}
        graph.invoke({"said": []}, on("t"))
        redis_client.delete(*redis_client.keys(prefix + b"*"))
        for key, dumped in before.items():
            redis_client.restore(key, 0, dumped or b"")
        graph.update_state(on("t"), {"said": [message(-1)]}, "say")
        done = graph.invoke(None, on("t"))
    now = [message(n)["id"] for n in (0, 1, 2, -1)]
    assert done["heard"][-2:] == [now, now]


def test_updates_in_a_row_and_callers_writes_go_on_with_the_list(graph: Any) -> None:
    def update(*values: Any) -> None:
        graph.bulk_update_state(on("t"), [[StateUpdate(value, "say")] for value in values])

    with graph.backend.worker():
        graph.invoke({"length": 3, "said": []}, on("t"))
        update({"said": [message(3)]}, {"length": 3}, {"said": [message(4)]}, {"said": []})
        assert said(graph, on("t")) == [message(n) for n in range(5)]
        update({"said": Overwrite([message(0)])}, {"length": 1}, {"said": [message(1)]})
        assert said(graph, on("t")) == [message(0), message(1)]
        done = graph.invoke(Command(update={"said": [message(2)]}, goto="say"), on("t"))
    assert done["said"] == [message(n) for n in range(4)]


def test_a_saver_goes_on_with_what_workers_have_stored_and_they_with_what_it_has(
    graph: Any, redis_client: redis.Redis, namespace: str
) -> None:
    local = conversation().compile(
        name="conversation", checkpointer=RedisSaver(redis_client, namespace=namespace)
    )
    with graph.backend.worker():
        graph.invoke({"length": 3, "said": []}, on("t"))
        local.invoke({"length": 5}, on("t"))
        graph.invoke({"length": 7}, on("t"))
        local.checkpointer.prune(["t"])
        graph.invoke({"length": 9}, on("t"))
    assert said(local, on("t")) == said(graph, on("t")) == [message(n) for n in range(9)]
    key = graph.backend.thread_key("t").checkpoints
    fields: Any = redis_client.hkeys(key)
    segments = [field for field in fields if field.startswith(b"v||said@")]
    lines = {field.rpartition(b";")[0] for field in segments}
    assert (len(segments), len(lines)) == (9, 1)
