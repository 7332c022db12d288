"""What nodes and tasks left counts again, for as long as the cache has it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from distgraph.cache.base import BaseCache
from distgraph.cache.memory import InMemoryCache
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.types import CachePolicy, Command, interrupt
from workers import CeleryBackend


class Number(TypedDict, total=False):
    n: Any


def noting(ran: list[Any], **options: Any) -> Any:
    """A builder of one node, which notes what it ran on."""

    def node(state: Number) -> Any:
        ran.append(state["n"])
        return {"n": [state["n"]]}

    options.setdefault("cache_policy", CachePolicy())
    return StateGraph(Number).add_node("node", node, **options).add_edge(START, "node")


def test_a_result_is_kept_until_it_is_cleared() -> None:
    ran: list[Any] = []
    graph = noting(ran).compile(cache=InMemoryCache())
    assert [graph.invoke({"n": n}) for n in (1, 1, 2)] == [{"n": [1]}, {"n": [1]}, {"n": [2]}]
    assert ran == [1, 2]
    graph.clear_cache(["node"])
    asyncio.run(graph.ainvoke({"n": 1}))
    asyncio.run(graph.aclear_cache())
    graph.invoke({"n": 1})
    assert ran == [1, 2, 1, 1]


def test_graphs_share_a_cache_for_the_same_node() -> None:
    ran: list[Any] = []
    cache: InMemoryCache[Any] = InMemoryCache()
    builder = noting(ran)
    for _ in range(2):
        builder.compile(cache=cache).invoke({"n": 1})
    assert ran == [1]


def test_a_result_is_kept_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("distgraph.cache.memory.time.monotonic", lambda: now[0])
    ran: list[Any] = []
    graph = noting(ran, cache_policy=CachePolicy(ttl=10)).compile(cache=InMemoryCache())
    for now[0] in (0.0, 9.0, 10.0, 11.0):
        graph.invoke({"n": 1})
    assert ran == [1, 1]


def test_an_update_as_a_node_is_not_looked_up() -> None:
    graph = noting([]).compile(checkpointer=InMemorySaver(), cache=InMemoryCache())
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"n": 1}, config)
    graph.update_state(config, {"n": 5}, as_node="node")
    assert graph.get_state(config).values == {"n": 5}


@dataclass
class Seen:
    text: str


def test_values_of_the_state_s_classes_are_kept() -> None:
    class State(TypedDict):
        seen: Seen

    ran: list[Any] = []

    def node(state: State) -> Any:
        ran.append(state)
        return {"seen": Seen(state["seen"].text + "!")}

    builder = StateGraph(State).add_node("node", node, cache_policy=CachePolicy())
    graph = builder.add_edge(START, "node").compile(cache=InMemoryCache())
    assert [graph.invoke({"seen": Seen("a")})["seen"] for _ in range(2)] == [Seen("a!")] * 2
    assert len(ran) == 1


def test_calls_of_tasks_are_kept_beside_questions() -> None:
    ran: list[int] = []

    @task(cache_policy=CachePolicy())
    def double(n: int) -> int:
        ran.append(n)
        return n * 2

    cache: InMemoryCache[Any] = InMemoryCache()

    @entrypoint(checkpointer=InMemorySaver(), cache=cache)
    def asking(given: int) -> list[Any]:
        return [each for n in (1, 1, 2) for each in (double(n).result(), interrupt("?"))]

    def played(name: str) -> Any:
        config = {"configurable": {"thread_id": name}}
        asking.invoke(1, config)
        return [asking.invoke(Command(resume=answer), config) for answer in "abc"][-1]

    assert [played("x"), played("y")] == [[2, "a", 2, "b", 4, "c"]] * 2
    assert ran == [1, 2]
    double.clear_cache(cache)
    played("z")
    assert ran == [1, 2, 1, 2]


def test_what_an_entrypoint_keeps_its_tasks_keep_too() -> None:
    ran: list[str] = []

    @task
    def inner(n: int) -> int:
        ran.append("inner")
        return n

    @entrypoint(cache=InMemoryCache(), cache_policy=CachePolicy(key_func=repr))
    def outer(n: int) -> int:
        ran.append("outer")
        return inner(n).result() + inner(n).result()

    assert [outer.invoke(2), outer.invoke(2)] == [4, 4]
    assert ran.count("outer") == 1


def test_a_cache_of_one_s_own_is_asked() -> None:
    kept: dict[Any, Any] = {}

    class Own(BaseCache[Any]):
        def get(self, keys: Any) -> Any:
            return {key: kept[key] for key in keys if key in kept}

        async def aget(self, keys: Any) -> Any:
            return self.get(keys)

        def set(self, pairs: Any) -> None:
            kept.update({key: value for key, (value, _) in pairs.items()})

        async def aset(self, pairs: Any) -> None:
            self.set(pairs)

        def clear(self, _: Any = None) -> None:
            kept.clear()

        async def aclear(self, _: Any = None) -> None:
            kept.clear()

    ran: list[Any] = []
    graph = noting(ran).compile(cache=Own())
    graph.invoke({"n": 1})
    asyncio.run(graph.ainvoke({"n": 1}))
    assert ran == [1]
    assert all(isinstance(value, bytes) for value in kept.values())
    kept.update(dict.fromkeys(kept, b"of somebody else"))
    graph.invoke({"n": 1})
    assert ran == [1, 1]


def test_an_input_that_has_no_key_says_so() -> None:
    graph = noting([]).compile(cache=InMemoryCache())
    with pytest.raises(TypeError, match=r"'node' gets cannot be a key .*"):
        graph.invoke({"n": object()})


def test_a_key_is_text_or_bytes() -> None:
    own = CachePolicy(key_func=lambda _: 1)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="key_func of 'node' must return text or bytes, not 1"):
        noting([], cache_policy=own).compile(cache=InMemoryCache()).invoke({"n": 1})


def test_what_is_no_cache_and_no_policy_is_refused() -> None:
    with pytest.raises(TypeError, match="cache must be a BaseCache"):
        noting([]).compile(cache={})
    with pytest.raises(TypeError, match=r"cache_policy must be a .*CachePolicy"):
        noting([], cache_policy=3)
    with pytest.raises(TypeError, match="cache_policy must be a CachePolicy"):
        task(repr, cache_policy=3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="key_func of a CachePolicy"):
        CachePolicy(key_func=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whole number of seconds"):
        CachePolicy(ttl=0)


def test_what_cannot_be_cleared_says_so() -> None:
    with pytest.raises(ValueError, match="No cache is set"):
        noting([]).compile().clear_cache()
    with pytest.raises(ValueError, match="no node 'other'"):
        noting([]).compile(cache=InMemoryCache()).clear_cache(["other"])


def test_workers_need_a_cache_that_they_share() -> None:
    backend = CeleryBackend("redis://localhost:1/0")
    with pytest.raises(ValueError, match="RedisCache"):
        noting([]).compile(name="caching", backend=backend, cache=InMemoryCache())
