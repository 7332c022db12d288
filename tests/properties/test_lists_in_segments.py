"""Lists that grow read back as what was stored, whatever was updated, forked, pruned, deleted."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from operator import add
from typing import Annotated, Any, TypedDict

import fakeredis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import END, START, StateGraph
from distgraph.graph.message import add_messages
from distgraph.types import Overwrite

pytestmark = pytest.mark.no_cover


class State(TypedDict):
    """Two lists that grow, and one that is only replaced."""

    log: Annotated[list[Any], add]
    talk: Annotated[list[Any], add_messages]
    last: list[Any]


BUILT = StateGraph(State)
BUILT.add_node("a", lambda _: {})
BUILT.add_edge(START, "a")
BUILT.add_edge("a", END)

items = st.sampled_from([1, "short", {"k": [1]}, {"text": "x" * 5_000}])
logs = st.lists(items, max_size=3)
messages = st.builds(
    lambda n, size: [{"role": "user", "content": "y" * size, "id": f"{n}"}],
    st.integers(0, 5),
    st.sampled_from([1, 4_500]),
)
updates = st.fixed_dictionaries(
    {},
    optional={"log": logs | st.builds(Overwrite, logs), "talk": messages, "last": logs},
)
steps = st.lists(
    st.tuples(st.just("update"), updates, st.integers(0, 3))
    | st.tuples(st.just("run"), updates, st.integers(0, 3))
    | st.tuples(st.just("mutate"), st.integers(0, 9), st.just(0))
    | st.tuples(st.sampled_from(["prune", "copy", "forget"]), st.none(), st.just(0)),
    max_size=12,
)


@contextmanager
def memory() -> Iterator[BaseCheckpointSaver]:
    yield InMemorySaver()


@contextmanager
def sqlite() -> Iterator[BaseCheckpointSaver]:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        yield SqliteSaver(conn)


@contextmanager
def redis() -> Iterator[BaseCheckpointSaver]:
    yield RedisSaver(fakeredis.FakeRedis())


class Whole(InMemorySaver):
    """Stores every value as a whole: what the others are compared with."""

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        given = {key: value for key, value in checkpoint.items() if key != "grown"}
        return super().put(config, given, metadata, new_versions)  # type: ignore[arg-type]


class Pair:
    """The same calls on a saver and on one that stores everything as a whole."""

    def __init__(self, saver: BaseCheckpointSaver) -> None:
        self.savers = saver, Whole()
        self.threads, self.runs = 1, 0

    def both(self, call: Callable[[BaseCheckpointSaver, Any], Any]) -> None:
        for saver in self.savers:
            call(saver, BUILT.compile(checkpointer=saver))

    def step(self, kind: str, given: Any, back: int) -> None:
        match kind:
            case "update":
                self.both(lambda s, g: g.update_state(at(s, back), copy.deepcopy(given), "a"))
            case "run":
                self.runs += 1
                named = {"metadata": {"run_id": f"r{self.runs}"}}
                self.both(lambda s, g: g.invoke(copy.deepcopy(given), {**at(s, back), **named}))
            case "mutate":
                self.both(lambda s, _: mutating(s, given).invoke({"last": []}, at(s, 0)))
            case "prune":
                self.both(lambda s, _: s.prune(["t"]))
            case "copy":
                self.both(lambda s, _: copied(s, f"t{self.threads}"))
                self.threads += 1
            case "forget":
                self.both(lambda s, _: forget_last(s))
            case _:
                raise ValueError(kind)

    def check(self) -> None:
        for thread in ("t", *(f"t{n}" for n in range(1, self.threads))):
            found, expected = (history(saver, thread) for saver in self.savers)
            assert found == expected


def at(saver: BaseCheckpointSaver, back: int) -> dict[str, Any]:
    """Return the config of the checkpoint ``back`` before the last one."""
    ids = [t.config["configurable"]["checkpoint_id"] for t in saver.list(config("t"))]
    found = config("t")
    if back and len(ids) > back:
        found["configurable"]["checkpoint_id"] = ids[back]
    return found


def config(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


def mutating(saver: BaseCheckpointSaver, index: int) -> Any:
    """Return a graph whose node changes an old item in place, and appends."""

    def change(state: Any) -> Any:
        held = state.get("log", [])
        if held and isinstance(held[index % len(held)], dict):
            held[index % len(held)]["changed"] = index
        return {"log": [{"text": "z" * 4_500}]}

    built = StateGraph(State)
    built.add_node("a", change)
    built.add_edge(START, "a")
    return built.compile(checkpointer=saver)


def copied(saver: BaseCheckpointSaver, target: str) -> None:
    if saver.get_tuple(config("t")):
        saver.copy_thread("t", target)


def forget_last(saver: BaseCheckpointSaver) -> None:
    """Delete what the last run stored: the head goes back, the lines of others stay."""
    head = saver.get_tuple(config("t"))
    if head and "run_id" in head.metadata:
        saver.delete_for_runs([head.metadata["run_id"]])


def history(saver: BaseCheckpointSaver, thread: str) -> list[Any]:
    return [
        (
            found.metadata.get("source"),
            found.metadata.get("step"),
            shown(found.checkpoint),
            [write[1:] for write in found.pending_writes or ()],
        )
        for found in saver.list(config(thread))
    ]


def shown(checkpoint: Any) -> dict[str, Any]:
    values = checkpoint["channel_values"]
    return {name: values[name] for name in ("log", "talk", "last") if name in values}


@pytest.mark.parametrize("make", [memory, sqlite, redis])
@given(steps)
@settings(max_examples=60, deadline=None)
def test_any_history_reads_back_as_if_it_were_stored_whole(make: Any, drawn: Any) -> None:
    with make() as saver:
        pair = Pair(saver)
        for step in drawn:
            pair.step(*step)
        pair.check()
