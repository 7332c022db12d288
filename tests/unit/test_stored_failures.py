"""Of a failure its text is stored, for a handler the arguments of its exception up to a size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import fakeredis
import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base.types import ERROR, ERROR_SOURCE, RESULT
from distgraph.checkpoint.failures import ARGUMENTS
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import NodeError
from distgraph.graph import START, StateGraph
from distgraph.types import interrupt
from tests.support.site import on


class State(TypedDict, total=False):
    n: int


@pytest.fixture(params=["memory", "sqlite", "redis"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    match request.param:
        case "memory":
            yield InMemorySaver()
        case "sqlite":
            with SqliteSaver.from_conn_string(":memory:") as opened:
                yield opened
        case _:
            yield RedisSaver(fakeredis.FakeRedis(), namespace="t")


def stored(saver: Any, *args: Any) -> tuple[list[Any], str]:
    """Return the stored arguments and the text of a failure with `args` that a handler takes."""

    def fail(_: State) -> State:
        raise ValueError(*args)

    def ask(_: State, error: NodeError) -> State:
        assert error.error.args == args  # who handles it here gets the exception itself
        return {"n": interrupt("?")}

    builder = StateGraph(State)
    builder.add_node("fail", fail, error_handler=ask)
    builder.add_edge(START, "fail")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"n": 1}, on("t"))
    (task,) = graph.get_state(on("t")).tasks
    writes = saver.get_tuple(on("t")).pending_writes
    (packed,) = [value for tid, name, value in writes if name == RESULT and tid == task.id]
    return packed[5], str(task.error)


def left(saver: Any) -> list[Any]:
    """Return what is stored of the tasks of the open superstep, but for its questions."""
    writes = saver.get_tuple(on("t")).pending_writes
    return [(name, value) for _, name, value in writes if name in (ERROR, ERROR_SOURCE, RESULT)]


def test_of_a_failure_that_nobody_handles_the_text_is_stored(saver: Any) -> None:
    fails = [ValueError("one"), None, KeyError("two"), OSError("three")]

    def fail(_: State) -> State:
        if raised := fails.pop(0):
            raise raised
        return {"n": interrupt("?")}

    builder = StateGraph(State).add_node("fail", fail).add_edge(START, "fail")
    graph = builder.compile(checkpointer=saver)
    with pytest.raises(ValueError, match="one"):
        graph.invoke({"n": 1}, on("t"))
    assert left(saver) == [(ERROR, "ValueError('one')")]
    graph.invoke(None, on("t"))
    (task,) = graph.get_state(on("t")).tasks
    assert (task.error, len(task.interrupts)) == (None, 1)
    for text in ("KeyError('two')", "OSError('three')"):
        with pytest.raises((KeyError, OSError)):
            graph.invoke(None, on("t"))
        (task,) = graph.get_state(on("t")).tasks
        assert (task.error, task.interrupts) == (text, ())


def test_small_arguments_are_stored(saver: Any) -> None:
    assert stored(saver, "text", 7) == (["text", 7], "ValueError('text', 7)")


def test_of_large_arguments_the_text_is_stored(saver: Any) -> None:
    args, text = stored(saver, "x" * ARGUMENTS)
    assert args == []
    assert text.startswith("ValueError('xxx")


def test_of_arguments_that_cannot_be_stored_the_text_is(saver: Any) -> None:
    args, text = stored(saver, object())
    assert args == []
    assert text.startswith("ValueError(<object object at ")
