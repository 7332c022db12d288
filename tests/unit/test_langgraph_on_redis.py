"""Graphs of LangGraph itself, whose checkpoints are kept in plain Redis."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Annotated, Any, TypedDict

import pytest
import redis
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

from checkpoint_redis.langgraph import AsyncRedisCheckpointer, RedisCheckpointer
from distgraph.errors import StoreUnavailable, ThreadNotFound
from tests.support.redis_server import HOST, RedisServer, free_port

pytestmark = pytest.mark.redis

THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}
LATEST = "counters_since_delta_snapshot"


class Words(TypedDict, total=False):
    words: Annotated[list[str], operator.add]
    sure: str


def ask(state: Words) -> Words:
    return {"sure": interrupt(len(state["words"]))}


def built(saver: BaseCheckpointSaver[str]) -> Any:
    inner = StateGraph(Words).add_node("ask", ask).add_edge(START, "ask").compile()
    builder = StateGraph(Words).add_node("inner", inner)
    builder.add_node("each", lambda word: {"words": [word.upper()]})
    builder.add_conditional_edges(START, lambda state: [Send("each", w) for w in state["words"]])
    return builder.add_edge("each", "inner").compile(checkpointer=saver)


@pytest.fixture
def saver(redis_server: RedisServer, namespace: str) -> Iterator[RedisCheckpointer]:
    with RedisCheckpointer.from_conn_string(redis_server.url, namespace=namespace) as made:
        yield made


def keys_in(client: redis.Redis, namespace: str) -> list[Any]:
    return list(client.scan_iter(f"{namespace}*"))


def stored(saver: RedisCheckpointer, values: dict[str, Any], **metadata: Any) -> RunnableConfig:
    """Store a checkpoint after the latest one; every value is new."""
    before = saver.get_tuple(THREAD)
    config: RunnableConfig = before.config if before else THREAD
    known = before.checkpoint["channel_versions"] if before else {}
    checkpoint = empty_checkpoint()
    new: ChannelVersions = {name: saver.get_next_version(None, None) for name in values}
    checkpoint["channel_values"] = values
    checkpoint["channel_versions"] = {**known, **new}
    about: Any = {"source": "loop", "step": 0, "parents": {}, **metadata}
    where: RunnableConfig = {"configurable": {"checkpoint_ns": "", **config["configurable"]}}
    return saver.put(where, checkpoint, about, new)


def told(graph: Any) -> list[Any]:
    """Run to the question, answer, and tell the whole history without what is drawn at random."""
    asked = graph.invoke({"words": ["a", "b"]}, THREAD)["__interrupt__"][0].value
    waiting = graph.get_state(THREAD, subgraphs=True).tasks[0].state.values
    ended = graph.invoke(Command(resume="yes"), THREAD)
    history = [
        (each.values, each.next, each.metadata, [(t.name, t.result) for t in each.tasks])
        for each in graph.get_state_history(THREAD)
    ]
    first = [each.metadata for each in graph.get_state_history(THREAD, filter={"step": -1})]
    return [asked, waiting, ended, history, first, len(list(graph.checkpointer.list(None)))]


def test_a_graph_goes_as_with_langgraphs_own_checkpointer(saver: RedisCheckpointer) -> None:
    assert told(built(saver)) == told(built(InMemorySaver()))


async def test_a_graph_on_a_loop_does_the_same(redis_server: RedisServer, namespace: str) -> None:
    made = AsyncRedisCheckpointer.from_conn_string(redis_server.url, namespace=namespace)
    async with made as saver:
        graph = built(saver)
        await graph.ainvoke({"words": ["a"]}, THREAD)
        ended = await graph.ainvoke(Command(resume="yes"), THREAD)
        seen = [each.values async for each in graph.aget_state_history(THREAD, limit=1)]
        listed = [each.config async for each in saver.alist(None)]
        assert listed == [each.config for each in saver.list(None)]
    assert seen == [ended] == [{"words": ["a", "A", "a", "A"], "sure": "yes"}]


@pytest.mark.parametrize("thread", ["", "{x}", "a/b c*", "\udcff", "ä"])
def test_any_thread_is_found_again_alone(saver: RedisCheckpointer, thread: str) -> None:
    for each in (thread, f"{thread}1"):
        config: RunnableConfig = {"configurable": {"thread_id": each}}
        built(saver).invoke({"words": [str(len(each))]}, config)
        found = saver.get_tuple(config)
        assert found is not None
        assert found.checkpoint["channel_values"]["words"] == [str(len(each))] * 2
    listed = {each.config["configurable"]["thread_id"] for each in saver.list(None)}
    assert listed == {thread, f"{thread}1"}


def test_putting_and_reading_cost_one_round_trip_each(
    saver: RedisCheckpointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(saver, {"a": 1, "b": 2})
    trips: list[Any] = []
    ask = saver._ask

    def counting(asked: tuple[Any, ...]) -> Any:
        trips.append(asked)
        return ask(asked)

    monkeypatch.setattr(saver, "_ask", counting)
    config = stored(saver, {"a": 2})  # which reads the one before
    saver.put_writes(config, [("a", 3), ("b", 4)], "task", "path")
    assert len(trips) == 3
    assert len(list(saver.list(THREAD))) == 2
    assert len(trips) == 5


def test_only_new_values_are_stored(saver: RedisCheckpointer, redis_client: redis.Redis) -> None:
    stored(saver, {"a": "x" * 100_000})
    stored(saver, {"b": 1})
    last = saver.get_tuple(stored(saver, {"b": 2}))
    assert last is not None
    assert last.checkpoint["channel_values"] == {"a": "x" * 100_000, "b": 2}
    (fields,) = (key for key in keys_in(redis_client, saver.namespace) if b"fields" in key)
    held: Any = redis_client.hvals(fields)
    assert sum(len(blob) >= 100_000 for blob in held) == 1


def test_nothing_is_left_of_a_thread_that_was_deleted(
    saver: RedisCheckpointer, redis_client: redis.Redis
) -> None:
    built(saver).invoke({"words": ["a"]}, THREAD)
    assert keys_in(redis_client, saver.namespace)
    saver.delete_thread("t")
    assert keys_in(redis_client, saver.namespace) == []


def test_a_run_that_is_deleted_leaves_what_others_stored(
    saver: RedisCheckpointer, redis_client: redis.Redis
) -> None:
    first = stored(saver, {"a": 1}, run_id="one")
    stored(saver, {"a": 2}, run_id="two")
    saver.copy_thread("t", "u")
    saver.delete_for_runs(["two", "never was"])
    assert [each.config for each in saver.list(THREAD)] == [first]
    assert len(list(saver.list({"configurable": {"thread_id": "u"}}))) == 1
    saver.delete_for_runs(["one"])
    assert keys_in(redis_client, saver.namespace) == []


def test_pruning_keeps_what_values_of_the_latest_are_found_from(saver: RedisCheckpointer) -> None:
    gone = stored(saver, {"a": 1})
    seed = stored(saver, {"delta": 1})
    saver.put_writes(seed, [("delta", 2)], "task")
    between = stored(saver, {"a": 2}, **{LATEST: {"delta": (1, 1)}})
    last = stored(saver, {"a": 3}, **{LATEST: {"delta": (1, 2)}})
    for config in (between, last):  # which hold none of it
        found = saver.get_tuple(config)
        assert found is not None
        assert found.checkpoint["channel_values"].get("delta") == 1
    saver.prune(["t"])
    assert saver.get_tuple(gone) is None
    assert [each.config for each in saver.list(THREAD)] == [last]


def extended(state: Any, writes: Sequence[Any]) -> Any:
    return [*state, *(word for each in writes for word in each)]


@pytest.mark.parametrize("frequency", [4, 1_000])
def test_a_channel_of_deltas_outlives_pruning(saver: RedisCheckpointer, frequency: int) -> None:
    deltas = DeltaChannel(extended, list, snapshot_frequency=frequency)
    Deltas = TypedDict("Deltas", {"words": Annotated[list[str], deltas]})  # noqa: UP013
    builder: Any = StateGraph(Deltas)
    builder.add_node("b", lambda _: {"words": ["b"]}).add_node("a", lambda _: {"words": ["a"]})
    builder.add_edge(START, "a").add_edge(START, "b")
    graph = builder.compile(checkpointer=saver)
    expected: list[str] = []
    for number in range(4):
        expected += [str(number), "a", "b"]
        assert graph.invoke({"words": [str(number)]}, THREAD)["words"] == expected
        saver.prune(["t"])
        assert graph.get_state(THREAD).values["words"] == expected


def test_a_thread_lapses_after_its_time(
    redis_server: RedisServer, namespace: str, redis_client: redis.Redis
) -> None:
    url = redis_server.url
    with RedisCheckpointer.from_conn_string(url, namespace=namespace, ttl=3_600) as saver:
        stored(saver, {"a": 1}, run_id="one")
        times = [redis_client.ttl(key) for key in keys_in(redis_client, namespace)]
    assert len(times) == 3
    assert all(3_500 < int(time) <= 3_600 for time in times)


def test_what_cannot_be_done_is_told(saver: RedisCheckpointer, redis_server: RedisServer) -> None:
    stored(saver, {"a": 1})
    with pytest.raises(ThreadNotFound, match="no thread 'nobody' to copy"):
        saver.copy_thread("nobody", "new")
    with pytest.raises(ValueError, match="'t' has checkpoints already"):
        saver.copy_thread("t", "t")
    with pytest.raises(ValueError, match="strategy must be 'keep_latest' or 'delete', not 'all'"):
        saver.prune(["t"], strategy="all")
    with pytest.raises(ValueError, match="thread_id"):
        saver.get_tuple({"configurable": {}})
    for ttl in (0, -1.5, float("nan")):
        with pytest.raises(ValueError, match="ttl must be a number of seconds greater than 0"):
            RedisCheckpointer(redis_server.url, ttl=ttl)
    assert len(list(saver.list(None))) == 1


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with RedisCheckpointer.from_conn_string(f"redis://{HOST}:{free_port()}/0") as saver:
        monkeypatch.setattr(saver, "_ledger", saver._ledger.once())
        with pytest.raises(StoreUnavailable, match=HOST):
            saver.get_tuple(THREAD)


def test_without_langgraph_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("checkpoint_redis.langgraph")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "langgraph.checkpoint.base", None)
    with pytest.raises(ImportError, match=r"pip install 'distgraph\[langgraph\]'"):
        import_module("checkpoint_redis.langgraph")
