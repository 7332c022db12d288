"""Of a failure its text is stored, and the arguments of its exception up to a size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import fakeredis
import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.base.types import RESULT
from distgraph.checkpoint.failures import ARGUMENTS
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.graph import START, StateGraph
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
    """Return the stored arguments and the text of a failure with `args`."""

    def fail(_: State) -> State:
        raise ValueError(*args)

    builder = StateGraph(State)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    graph = builder.compile(checkpointer=saver)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 its arguments are compared
        graph.invoke({"n": 1}, on("t"))
    assert caught.value.args == args  # who calls gets the exception itself
    (task,) = graph.get_state(on("t")).tasks
    writes = saver.get_tuple(on("t")).pending_writes
    (packed,) = [value for _, name, value in writes if name == RESULT]
    return packed[5], str(task.error)


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
