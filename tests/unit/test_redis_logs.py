"""What tasks wrote is in the log of a saver in Redis, or in the checkpoint that follows alone."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
import redis

from checkpoint_redis import keys
from checkpoint_redis.known_logs import KnownLogs
from checkpoint_redis.logged import logged, shared
from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import CorruptRecord
from distgraph.graph import END, START, StateGraph
from tests.support.site import on

pytestmark = pytest.mark.redis
SIZE = 1_000
dumps = JsonPlusSerializer().dumps


class State(TypedDict, total=False):
    """A conversation of `length` messages, and what was said last."""

    length: int
    said: Annotated[list[Any], operator.add]
    last: str


def message(n: int) -> dict[str, Any]:
    return {"role": "user", "content": f"{n:0{SIZE}d}", "id": f"{n:036d}"}


def conversation(saver: RedisSaver) -> Any:
    builder = StateGraph(State)
    builder.add_node("say", lambda state: {"said": [message(len(state["said"]))]})
    builder.add_edge(START, "say")
    builder.add_conditional_edges(
        "say", lambda state: "say" if len(state["said"]) < state["length"] else END
    )
    return builder.compile(checkpointer=saver)


@pytest.fixture
def saver(redis_client: redis.Redis, namespace: str) -> RedisSaver:
    return RedisSaver(redis_client, namespace=namespace)


def stored(saver: RedisSaver) -> dict[bytes, bytes]:
    found: Any = saver.client.hgetall(keys.Thread(saver.namespace, "t").checkpoints)
    return dict(found)


def log_bytes(saver: RedisSaver) -> int:
    return sum(len(value) for field, value in stored(saver).items() if field.startswith(b"p|"))


@pytest.mark.slow
def test_a_thousand_messages_take_twice_their_bytes(saver: RedisSaver) -> None:
    graph, config = conversation(saver), {**on("t"), "recursion_limit": 1_001}
    done = graph.invoke({"length": 1_000, "said": []}, config)
    assert done["said"] == [message(n) for n in range(1_000)]
    prefix = keys.Thread(saver.namespace, "t").prefix
    client: Any = saver.client
    sizes = [client.memory_usage(key, samples=0) for key in client.keys(f"{prefix}*")]
    assert sum(sizes) <= 2_200_000  # what a server needs besides differs from version to version


def test_what_tasks_left_is_shown_as_they_left_it(saver: RedisSaver) -> None:
    graph = conversation(saver)
    graph.invoke({"length": 8, "said": []}, on("t"))
    assert log_bytes(saver) < 4 * SIZE
    shown = [task.result for found in graph.get_state_history(on("t")) for task in found.tasks]
    assert shown[:-1] == [{"said": [message(n)]} for n in reversed(range(8))]
    saver.copy_thread("t", "copy")
    again = [task.result for found in graph.get_state_history(on("copy")) for task in found.tasks]
    assert again == shown


def test_what_several_tasks_wrote_to_several_channels(saver: RedisSaver) -> None:
    def write(name: str) -> Any:
        return lambda _: {
            "said": [message(1), message(2)],
            **({"last": name * 500} if name == "b" else {}),
        }

    builder = StateGraph(State)
    for name in ("a", "b", "c"):
        builder.add_node(name, write(name)).add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"said": [message(0)] * 5}, on("t"))
    assert log_bytes(saver) < SIZE * 2
    written, start = [found.tasks for found in graph.get_state_history(on("t"))][1:]
    said = {"said": [message(1), message(2)]}
    assert [task.result for task in written] == [said, {**said, "last": "b" * 500}, said]
    assert len(start) == 1


def test_what_stands_in_a_checkpoint_that_goes_stays_for_the_log(saver: RedisSaver) -> None:
    graph = conversation(saver)
    graph.invoke({"length": 6, "said": []}, {**on("t"), "metadata": {"run_id": "one"}})
    before, *_ = [s.config for s in graph.get_state_history(on("t")) if s.next == ("say",)]
    known = saver.get_tuple(before)
    assert known is not None
    head = saver.get_tuple(on("t"))
    assert head is not None
    metadata: Any = {**head.metadata, "run_id": "two"}
    saver.put(before, head.checkpoint, metadata, {})
    for run in ("two", "none"):
        saver.delete_for_runs([run])
        left = saver.get_tuple(before)
        assert left is not None
        assert left.pending_writes == known.pending_writes
    assert graph.get_state(on("t")).config == before


def test_records_that_lost_what_they_share_are_damaged(saver: RedisSaver) -> None:
    graph = conversation(saver)
    graph.invoke({"length": 8, "said": []}, on("t"))
    for field in stored(saver):
        if field.startswith(b"v|") and b";" in field:
            saver.client.hdel(keys.Thread(saver.namespace, "t").checkpoints, field.decode())
    with pytest.raises(CorruptRecord):
        list(graph.get_state_history(on("t")))


def test_only_what_is_long_is_shared() -> None:
    (record,) = logged("task", "", [("said", dumps(["x" * 300])), ("n", dumps("y" * 20))])
    values = {"said@l;2": dumps(["w" * 300, "x" * 300]), "n@v": dumps("y" * 20)}
    (row,) = shared([(3, record)], values)
    (span,) = row.spans
    assert (row.number, span.name) == (3, "said@l;2")
    there, here = values["said@l;2"][span.start - 1 :], record[span.first - 1 :]
    assert there[: span.length] == here[: span.length]
    assert span.length > 300
    assert shared([(3, record)], {"said@l;2": dumps(["z"])}) == ()


def test_records_are_remembered_until_they_are_taken() -> None:
    known, here, there = KnownLogs(most_bytes=10), ("x", "", "1"), ("x", "", "2")
    known.note(here, 0, [b"one"])
    known.note(here, 5, [b"two", b"3"])
    assert known.take(here) == ((0, b"one"), (5, b"two"), (6, b"3"))
    assert known.take(here) == ()
    known.note(here, 0, [b"xxxxx"])
    known.note(there, 0, [b"xxxxx"])
    known.note(there, 1, [b"x"])
    assert known.take(here) == ()
    assert len(known.take(there)) == 2
