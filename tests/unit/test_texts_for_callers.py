"""What a caller reads when something is not as it should be: one error, which says what to do."""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import traceback
from collections.abc import Callable
from typing import Any, TypedDict

import langgraph.types as theirs
import pytest
import redis

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import (
    BrokerUnavailable,
    InvalidUpdateError,
    StoreUnavailable,
    ThreadBusy,
)
from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send
from tests.support.redis_server import RedisServer, free_port
from tests.support.site import on
from workers import CeleryBackend

NOTHING_THERE = "redis://user:secret@127.0.0.1:{}/0"


def graph(**compiled: Any) -> Any:
    builder = StateGraph(dict).add_node("n", lambda _: None).add_edge(START, "n")
    return builder.compile(name="g", **compiled)


def routed(chosen: Any, path_map: Any) -> Any:
    builder = StateGraph(dict).add_node("a", lambda _: None).add_node("b", lambda _: None)
    builder.add_edge(START, "a").add_conditional_edges("a", lambda _: chosen, path_map)
    return builder.compile()


# --- Redis is away ---------------------------------------------------------------------------

CALLS: dict[str, Callable[[CeleryBackend, Any], Any]] = {
    "invoke": lambda _, graph: graph.invoke({}, on("t")),
    "ainvoke": lambda _, graph: asyncio.run(graph.ainvoke({}, on("t"))),
    "stream": lambda _, graph: list(graph.stream({}, on("t"))),
    "submit": lambda _, graph: graph.submit({}, on("t")),
    "get_state": lambda _, graph: graph.get_state(on("t")),
    "aget_state": lambda _, graph: asyncio.run(graph.aget_state(on("t"))),
    "update_state": lambda _, graph: graph.update_state(on("t"), {}),
    "threads": lambda backend, _: backend.threads(),
    "status": lambda backend, _: backend.thread("t").status,
    "run": lambda backend, _: backend.run("t", "r"),
    "workers": lambda backend, _: backend.workers(),
}


def told(call: Callable[[], Any], kind: type[Exception]) -> str:
    """Return the traceback of the error that ``call`` raises."""
    with pytest.raises(kind) as raised:
        call()
    return "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("name", CALLS)
def test_a_redis_that_is_away_is_one_error(name: str) -> None:
    url = NOTHING_THERE.format(free_port())
    backend = CeleryBackend(url, reach=0.05)
    compiled = graph(backend=backend)
    said = told(lambda: CALLS[name](backend, compiled), StoreUnavailable)
    assert said.count("Traceback") == 1
    assert "cannot be reached" in said.splitlines()[-1]
    assert "secret" not in said


def test_a_broker_that_is_away_is_one_error() -> None:
    backend = CeleryBackend(NOTHING_THERE.format(free_port()), reach=0.05)
    said = told(backend.reach, BrokerUnavailable)
    assert said.count("Traceback") == 1
    assert "secret" not in said


@pytest.mark.redis
def test_a_login_that_is_refused_is_one_error(redis_server: RedisServer) -> None:
    url = redis_server.url.replace("redis://", "redis://nobody:secret@")
    said = told(lambda: graph(backend=CeleryBackend(url)).invoke({}, on("t")), StoreUnavailable)
    assert said.count("Traceback") == 1
    assert "refuses the login" in said
    assert "secret" not in said


# --- a thread that is busy -----------------------------------------------------------------------


def test_what_a_busy_thread_advises_can_be_called(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    compiled = graph(backend=backend)
    run = compiled.submit({}, on("it's"))
    for call in (
        lambda: compiled.submit({}, on("it's")),
        lambda: compiled.submit(None, on("it's")),
        lambda: compiled.update_state(on("it's"), {}, as_node="n"),
        lambda: backend.thread("it's").adopt(),
    ):
        with pytest.raises(ThreadBusy) as raised:
            call()
        waits, ends = re.findall(r"(backend\.\w+\(.*?\))\.(\w+)\(\)", str(raised.value))
        assert [eval(each[0], {"backend": backend}).id for each in (waits, ends)] == [
            run.id,
            "it's",
        ]
        assert callable(inspect.getattr_static(type(run), waits[1]))
        assert callable(getattr(backend.thread("it's"), ends[1]))
    saver = RedisSaver(redis.Redis.from_url(redis_server.url), namespace=namespace)
    with pytest.raises(ThreadBusy, match="distgraph cancel"):
        graph(checkpointer=saver).update_state(on("it's"), {}, as_node="n")
    saver.client.close()


def test_an_answer_is_given_without_a_command_around_it(
    redis_server: RedisServer, namespace: str
) -> None:
    handle = CeleryBackend(redis_server.url, namespace=namespace).thread("t")
    commands: tuple[Any, ...] = (Command(resume=1), theirs.Command(resume=1))
    for given in commands:
        with pytest.raises(TypeError, match="takes the answer itself"):
            handle.resume(given)


# --- a call that names no thread ----------------------------------------------------------------


def test_a_new_input_on_a_backend_has_a_thread_of_its_own(
    redis_server: RedisServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    compiled = graph(backend=backend)
    with caplog.at_level(logging.WARNING):
        runs = [compiled.submit({}), compiled.submit({}, {"metadata": {"tenant": "a"}})]
    assert len({run.thread_id for run in runs}) == 2
    assert {thread.id for thread in backend.threads()} == {run.thread_id for run in runs}
    (record,) = [each for each in caplog.records if "thread_id" in each.getMessage()]
    assert runs[0].thread_id in record.getMessage()


def test_nodes_are_told_the_thread_that_was_made_up(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    builder = StateGraph(dict)
    builder.add_node("n", lambda _, config: {"thread": config["configurable"]["thread_id"]})
    compiled = builder.add_edge(START, "n").compile(name="g", backend=backend)
    with backend.worker():
        told = compiled.invoke({})["thread"]
        streamed = next(iter(compiled.stream({}, stream_mode="updates")))["n"]["thread"]
        run = compiled.submit({})
        assert run.result() == {"thread": run.thread_id}
    listed = {thread.id for thread in backend.threads()}
    assert listed == {told, streamed, run.thread_id}
    assert compiled.get_state(on(told)).values == {"thread": told}


UNNAMED: dict[str, Callable[[Any], Any]] = {
    "goes on": lambda graph: graph.invoke(None),
    "answers": lambda graph: graph.invoke(Command(resume=1)),
    "submits an answer": lambda graph: graph.submit(Command(resume=1)),
    "jumps": lambda graph: list(graph.stream(Command(goto="n"))),
    "reads": lambda graph: graph.get_state({}),
    "reads on": lambda graph: list(graph.get_state_history({"configurable": {}})),
    "writes": lambda graph: graph.update_state({}, {}),
    "reads on a loop": lambda graph: asyncio.run(graph.aget_state(None)),
}


@pytest.mark.parametrize("name", UNNAMED)
def test_every_other_call_has_to_name_its_thread(name: str) -> None:
    on_backend = graph(backend=CeleryBackend(NOTHING_THERE.format(free_port())))
    with pytest.raises(ValueError, match=r"about a thread that is there.*thread_id") as raised:
        UNNAMED[name](on_backend)
    assert "Checkpointer" not in str(raised.value)


@pytest.mark.parametrize("given", [{}, None, Command(resume=1)])
def test_with_a_checkpointer_it_is_as_in_langgraph(given: Any) -> None:
    with pytest.raises(ValueError, match=r"Checkpointer requires .*thread_id"):
        graph(checkpointer=InMemorySaver()).invoke(given)
    assert graph().invoke({}) == {}


# --- paths and messages --------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [{"b": 1}, [{"b": 1}, "b"], [["b"]], {"b"}, bytearray(b"b")])
@pytest.mark.parametrize("path_map", [["b"], {"b": "b"}, {True: "b"}])
def test_what_can_be_no_key_of_a_path_map_is_named(chosen: Any, path_map: Any) -> None:
    with pytest.raises(InvalidUpdateError, match=r"path of node 'a' chose .* no key"):
        routed(chosen, path_map).invoke({})


def test_a_send_of_an_unhashable_packet_needs_no_path_map() -> None:
    routed([Send("b", {"x": {}})], ["b"]).invoke({})


@pytest.mark.parametrize("chosen", ["nowhere", 7, ("b", "nowhere")])
def test_what_a_path_map_lacks_is_named_with_what_it_has(chosen: Any) -> None:
    with pytest.raises(KeyError, match=r"node 'a' chose .*(nowhere|7).* has only 'b', True"):
        routed(chosen, {"b": "b", True: "b"}).invoke({})


@pytest.mark.parametrize("end", [["b"], {"b": 1}, None, 7])
def test_a_path_map_leads_to_names(end: Any) -> None:
    with pytest.raises(TypeError, match="path_map leads from str 'x' to a node's name, not"):
        routed("x", {"x": end})


class Said(TypedDict):
    said: list[Any]


@pytest.mark.parametrize("name", ["content", "type", "tool_calls"])
async def test_a_message_that_is_a_dict_and_is_read_as_an_object(name: str) -> None:
    builder = StateGraph(Said).add_edge(START, "read")
    builder.add_node("read", lambda state: getattr(state["said"][-1], name))
    with pytest.raises(AttributeError) as raised:
        await builder.compile().ainvoke({"said": [{"role": "user", "content": "hello"}]})
    assert f"message['{name}']" in raised.value.__notes__[0]
    assert "During task with name 'read'" in raised.value.__notes__[1]


def test_of_another_attribute_that_is_missing_nothing_is_said() -> None:
    builder = StateGraph(dict).add_node("read", lambda state: state.content)
    with pytest.raises(AttributeError) as raised:
        builder.add_edge(START, "read").compile().invoke({"x": 1})
    assert len(raised.value.__notes__) == 1
