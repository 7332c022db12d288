"""Half a character, a lone surrogate: thread ids may have one, names of graphs and nodes not.

They come from file names and arguments that are not UTF-8.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
import redis

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.conformance import at, get, make
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import DistGraphError, NothingToResume, ThreadNotFound
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import wait_until
from workers import CeleryBackend

pytestmark = [pytest.mark.redis, pytest.mark.celery]
HALVES = ("\ud800", "thread \udcff.txt", "\udfff\ud800", "é\ud83d")
ALL = pytest.mark.parametrize("thread", HALVES, ids=[ascii(half) for half in HALVES])


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def ask(_: State) -> Any:
    return {"log": [interrupt("well?")]}


def fail_at_first(state: State) -> Any:
    if len(state["log"]) == 1:
        raise ValueError("no")
    return {"log": ["done"]}


def graph_of(node: Any) -> StateGraph[State]:
    return StateGraph(State).add_node("a", node).add_edge(START, "a")


@pytest.fixture(scope="module")
def backend(redis_server: RedisServer) -> Iterator[CeleryBackend]:
    made = CeleryBackend(redis_server.url, namespace="halves")
    graph_of(ask).compile(name="asks", backend=made)
    with made.worker():
        yield made


@pytest.fixture
def asks(backend: CeleryBackend) -> Any:
    return graph_of(ask).compile(name="asks", backend=backend)


@ALL
def test_a_thread_is_carried_from_its_start_to_its_end(
    backend: CeleryBackend, asks: Any, thread: str
) -> None:
    config = on(thread)
    chunks = list(asks.stream({"log": ["in"]}, config, stream_mode=["values", "updates"]))
    assert chunks[0] == ("values", {"log": ["in"]})
    for status in (None, "interrupted"):
        assert thread in [info.id for info in backend.threads(status)]
    handle = backend.thread(thread)
    assert (handle.info.id, handle.status, len(handle.interrupts)) == (thread, "interrupted", 1)
    assert asks.invoke(Command(resume="yes"), config)["log"] == ["in", "yes"]
    states = list(asks.get_state_history(config))
    assert [state.config["configurable"]["thread_id"] for state in states] == [thread] * 3
    assert len(handle.history()) == 3
    asks.update_state(config, {"log": ["more"]})
    assert asks.get_state(config).values["log"] == ["in", "yes", "more"]
    handle.delete()
    assert thread not in [info.id for info in backend.threads()]


@ALL
def test_an_operator_answers_and_cancels(backend: CeleryBackend, asks: Any, thread: str) -> None:
    handle = backend.thread(f"{thread}/2")
    run = asks.submit({"log": ["in"]}, on(handle.id))
    assert (run.thread_id, run.result()["__interrupt__"][0].value) == (handle.id, "well?")
    handle.resume("yes")
    wait_until(lambda: handle.status == "idle", "the end of the run")
    asks.invoke({"log": ["again"]}, on(handle.id))
    assert handle.cancel()
    with pytest.raises(NothingToResume):
        asks.invoke(Command(resume="late"), on(handle.id))
    handle.delete()


@ALL
async def test_a_thread_is_carried_on_a_loop(
    backend: CeleryBackend, asks: Any, thread: str
) -> None:
    config = on(f"{thread}/3")
    assert (await asks.ainvoke({"log": ["in"]}, config))["__interrupt__"]
    assert (await asks.ainvoke(Command(resume="yes"), config))["log"] == ["in", "yes"]


@ALL
def test_messages_show_the_id_escaped(backend: CeleryBackend, asks: Any, thread: str) -> None:
    def check(error: DistGraphError) -> None:
        str(error).encode()
        assert ascii(thread)[1:-1] in ascii(str(error)).replace("\\\\", "\\")

    with pytest.raises(ThreadNotFound) as missing:
        backend.thread(thread).delete()
    check(missing.value)
    asks.invoke({"log": ["in"]}, on(thread))
    backend.thread(thread).cancel()
    with pytest.raises(NothingToResume) as refused:
        backend.thread(thread).resume("late")
    str(refused.value).encode()
    backend.thread(thread).delete()


# --- savers --------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite", "redis"])
def saver(
    request: pytest.FixtureRequest, redis_client: redis.Redis, namespace: str
) -> Iterator[BaseCheckpointSaver]:
    match request.param:
        case "memory":
            yield InMemorySaver()
        case "redis":
            yield RedisSaver(redis_client, namespace=namespace)
        case _:
            with SqliteSaver.from_conn_string(":memory:") as saver:
                yield saver


@ALL
def test_a_saver_keeps_its_thread(saver: BaseCheckpointSaver, thread: str) -> None:
    graph, config = graph_of(ask).compile(checkpointer=saver), on(thread)
    assert graph.invoke({"log": ["in"]}, config)["__interrupt__"]
    assert graph.invoke(Command(resume="yes"), config)["log"] == ["in", "yes"]
    listed = [found.config["configurable"]["thread_id"] for found in saver.list(None)]
    assert listed == [thread] * 3
    saver.copy_thread(thread, f"{thread} copy")
    assert graph.get_state(on(f"{thread} copy")).values["log"] == ["in", "yes"]
    saver.prune([thread])
    assert len(list(saver.list(config))) == 1
    saver.delete_thread(thread)
    assert saver.get_tuple(config) is None
    with pytest.raises(ThreadNotFound) as missing:
        saver.copy_thread(thread, "other")
    str(missing.value).encode()


@ALL
def test_a_saver_keeps_frames_channels_and_runs(saver: BaseCheckpointSaver, thread: str) -> None:
    where, checkpoint = at("t", None, f"inner{thread}"), make({thread: 1})
    meta: Any = {"source": "loop", "step": 1, "parents": {}, "run_id": thread}
    put = saver.put(where, checkpoint, meta, checkpoint["channel_versions"])
    saver.put_writes(put, [(thread, 2)], "task", thread)
    found = get(saver, put)
    assert found.checkpoint["channel_values"] == {thread: 1}
    assert found.pending_writes == [("task", thread, 2)]
    saver.delete_for_runs([thread])
    assert list(saver.list(where)) == []


@ALL
def test_a_failure_is_tried_again(saver: BaseCheckpointSaver, thread: str) -> None:
    graph, config = graph_of(fail_at_first).compile(checkpointer=saver), on(thread)
    with pytest.raises(ValueError, match="no"):
        graph.invoke({"log": ["in"]}, config)
    given: Command[Any] = Command(update={"log": ["more"]})
    assert graph.invoke(given, config)["log"] == ["in", "more", "done"]


# --- names ---------------------------------------------------------------------------------------


@ALL
def test_a_name_is_refused_where_it_is_given(
    redis_server: RedisServer, namespace: str, thread: str
) -> None:
    shown = ascii(thread).replace("\\", r"\\")
    builder = StateGraph(State)
    with pytest.raises(ValueError, match=f"name of a node {shown} has a lone surrogate"):
        builder.add_node(thread, ask)
    with pytest.raises(ValueError, match=f"queue of node 'a' {shown} has a lone surrogate"):
        builder.add_node("a", ask, queue=thread)
    with pytest.raises(ValueError, match=f"name of a graph {shown} has a lone surrogate"):
        graph_of(ask).compile(name=thread)
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    with pytest.raises(ValueError, match=f"name of a graph {shown} has a lone surrogate"):
        graph_of(ask).compile().on(backend, thread)
    assert backend.registry.all() == ()
    with pytest.raises(ValueError, match="namespace"):
        CeleryBackend(redis_server.url, namespace=thread)
