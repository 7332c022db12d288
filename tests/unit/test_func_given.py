"""What a workflow and its functions are given, and what they may be."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.config import get_config, get_stream_writer
from distgraph.errors import EmptyInputError, InvalidUpdateError
from distgraph.func import entrypoint, task
from distgraph.types import Runtime, StreamWriter

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@task
def add(x: int, y: int = 1) -> int:
    return x + y


class Tenfold:
    def __call__(self, x: int) -> int:
        return x * 10

    def method(self, x: int) -> int:
        return x * 100


def test_what_is_injected() -> None:
    @task
    def knows(  # noqa: PLR0913, PLR0917 one parameter for each
        x: int,
        config: Any,
        writer: StreamWriter,
        runtime: Runtime,
        store: Any = 1,
        previous: Any = 2,
    ) -> Any:
        writer(("task", x))
        assert runtime.execution_info
        node = config["metadata"]["langgraph_node"]
        return node, runtime.attempt, store, previous, runtime.previous

    @entrypoint(InMemorySaver())
    def workflow(
        x: int, config: Any, *, writer: StreamWriter, runtime: Runtime, store: Any = 1
    ) -> Any:
        writer("writer")
        get_stream_writer()("get_stream_writer")
        calls: Any = knows  # what is injected may be left out
        own = get_config()["metadata"]["langgraph_node"]
        same = config["metadata"]["langgraph_node"]
        return [calls(x).result(), own, same, store, runtime.previous]

    told = list(workflow.stream(1, CONFIG, stream_mode="custom"))
    assert told == ["writer", "get_stream_writer", ("task", 1)]
    first = workflow.get_state(CONFIG).values
    assert first == [("knows", 1, None, None, None), "workflow", "workflow", None, None]
    again = workflow.invoke(2, CONFIG)
    assert again == [("knows", 1, None, first, first), "workflow", "workflow", None, first]


def test_what_a_caller_gives_is_not_injected() -> None:
    @task
    def knows(x: Any, writer: StreamWriter, previous: Any = None) -> Any:
        writer(x)
        return previous

    seen: list[Any] = []

    @entrypoint()
    def workflow(x: Any) -> Any:
        calls: Any = knows  # what is injected may be left out
        return [calls(x, seen.append, 7).result(), calls(x, writer=seen.append).result()]

    assert workflow.invoke(1) == [7, None]
    assert seen == [1, 1]


def test_what_can_be_called_is_taken_and_has_a_name() -> None:
    @entrypoint()
    def workflow(x: int) -> list[Any]:
        made = [
            task(Tenfold()),
            task(Tenfold(), name="own"),
            task(functools.partial(add.func, y=7)),
            task(Tenfold().method),
        ]
        return [each(x).result() for each in made]

    told = list(workflow.stream(1, stream_mode="updates"))
    assert told == [
        {"Tenfold": 10},
        {"own": 10},
        {"add": 8},
        {"method": 100},
        {"workflow": [10, 10, 8, 100]},
    ]
    assert entrypoint()(Tenfold()).invoke(2) == 20
    assert entrypoint()(functools.partial(add.func, y=3)).name == "add"
    assert (add.__name__, add.func(1), repr(add)) == ("add", 2, "<task add>")


def test_bad_use_is_refused() -> None:
    def generator(_: int) -> Any:
        yield 1

    async def agenerator(_: int) -> Any:
        yield 1

    makers: list[Any] = [entrypoint(), task]
    for make in makers:
        for bad in (generator, agenerator, functools.partial(generator)):
            with pytest.raises(NotImplementedError, match="Generators are not supported"):
                make(bad)
        with pytest.raises(TypeError, match="A function is needed"):
            make(5)
    with pytest.raises(ValueError, match="at least one parameter"):
        makers[0](lambda: 1)
    with pytest.raises(TypeError, match="Invalid checkpointer"):
        entrypoint("memory")(add.func)
    with pytest.raises(ValueError, match="reserved character"):
        task(add.func, name="a|b")
    with pytest.raises(RuntimeError, match="Task 'add' was called outside of a node"):
        add(1)
    with pytest.raises(EmptyInputError):
        entrypoint(InMemorySaver())(add.func).invoke(None, CONFIG)
    with pytest.raises(TypeError, match="cache_policy"):
        task(cache_policy=1)  # type: ignore[call-overload]


def test_what_cannot_be_stored_fails_the_call_and_names_it() -> None:
    opaque = task(lambda: threading.Lock(), name="opaque")

    @entrypoint(InMemorySaver())
    def workflow(_: Any) -> str:
        with pytest.raises(InvalidUpdateError, match="Task 'opaque' returned what cannot be"):
            opaque().result()
        return "told"

    assert workflow.invoke(0, CONFIG) == "told"
