"""Workflows: a function as a graph, whose calls of other functions are tasks."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import GraphInterrupt
from distgraph.func import SyncAsyncFuture, entrypoint, task
from distgraph.graph import add_messages
from distgraph.types import Command, RetryPolicy, interrupt
from tests.support.waiting import PATIENCE, wait_until

CONFIG: Any = {"configurable": {"thread_id": "1"}}
AGAIN = RetryPolicy(initial_interval=0, max_attempts=3, jitter=False, retry_on=ValueError)


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
async def aadd(x: int, y: int = 1) -> int:
    await asyncio.sleep(0)
    return x + y


def history(workflow: Any) -> list[Any]:
    return [
        (s.metadata["source"], s.metadata["step"], s.next, s.values)
        for s in workflow.get_state_history(CONFIG)
    ]


def test_what_it_returns_is_its_state_and_what_the_next_run_finds() -> None:
    @entrypoint(InMemorySaver())
    def workflow(x: int, *, previous: Any = None) -> Any:
        return [add(x).result(), previous]

    assert workflow.invoke(1, CONFIG) == [2, None]
    assert workflow.invoke(5, CONFIG) == [6, [2, None]]
    assert history(workflow) == [
        ("loop", 2, (), [6, [2, None]]),
        ("input", 1, ("workflow",), [2, None]),
        ("loop", 0, (), [2, None]),
        ("input", -1, ("workflow",), None),
    ]
    (shown,) = list(workflow.get_state_history(CONFIG))[-1].tasks
    assert (shown.path, shown.result) == (("__pregel_pull", "workflow"), [2, None])


def test_final_saves_something_else_than_it_returns() -> None:
    @entrypoint(InMemorySaver())
    def workflow(x: int, *, previous: int | None) -> entrypoint.final[int | None, int]:
        return entrypoint.final(value=previous, save=x)

    assert [workflow.invoke(x, CONFIG) for x in (1, 2, 3)] == [None, 1, 2]
    assert workflow.get_state(CONFIG).values == 2
    workflow.update_state(CONFIG, 42)
    assert workflow.get_state(CONFIG).values == 42
    assert workflow.invoke(5, CONFIG) == 42


@pytest.mark.parametrize("value", [None, 0, "", [], {}, False, (1, 2), {"a": 1}])
def test_any_value_is_taken_and_returned_as_it_is(value: Any) -> None:
    function: Any = lambda x: x  # noqa: E731 of any type
    same = task(function, name="same")

    @entrypoint(InMemorySaver())
    def workflow(x: Any) -> Any:
        return same(x).result()

    if value is not None:
        assert workflow.invoke(value, CONFIG) == value
    constant: Any = lambda _: value  # noqa: E731 of any type
    assert entrypoint()(constant).invoke(1) == value


def test_a_call_is_not_made_again_when_the_workflow_is_answered() -> None:
    made: list[Any] = []

    @task
    def noted(x: Any) -> Any:
        made.append(x)
        return x

    @task
    def asks(x: int) -> tuple[Any, Any]:
        return interrupt(f"first {x}"), interrupt(f"second {x}")

    @entrypoint(InMemorySaver())
    def workflow(x: int) -> list[Any]:
        return [noted(x).result(), *asks(x).result(), interrupt("own"), noted(9).result()]

    given: list[Any] = [1, *map(_answer, "abc")]
    seen: list[Any] = [workflow.invoke(each, CONFIG) for each in given]
    asked = [each["__interrupt__"][0] for each in seen[:-1]]
    assert [each.value for each in asked] == ["first 1", "second 1", "own"]
    assert len({each.id for each in asked}) == 3
    assert seen[-1] == [1, "a", "b", "c", 9]
    assert made == [1, 9]


def _answer(value: Any) -> Command[Any, Any]:
    return Command(resume=value)


def test_what_several_calls_ask_is_answered_one_by_one() -> None:
    @task
    def asks(x: int) -> Any:
        return interrupt(x)

    @entrypoint(InMemorySaver())
    def workflow(width: int) -> list[Any]:
        return [future.result() for future in [asks(x) for x in range(width)]]

    result: Any = workflow.invoke(3, CONFIG)
    for x in range(3):
        (asked,) = result["__interrupt__"]
        assert asked.value == x
        result = workflow.invoke(Command(resume={asked.id: f"a{x}"}), CONFIG)
    assert result == ["a0", "a1", "a2"]


def test_a_failed_workflow_goes_on_at_the_call_that_failed() -> None:
    made: list[str] = []

    @task
    def fine() -> int:
        made.append("fine")
        return 1

    @task
    def fails() -> int:
        made.append("fails")
        if made.count("fails") < 2:
            raise ValueError("no")
        return 2

    @entrypoint(InMemorySaver())
    def workflow(_: Any) -> int:
        return fine().result() + fails().result()

    with pytest.raises(ValueError, match="no") as caught:
        workflow.invoke(0, CONFIG)
    notes = [note.partition(" and id")[0] for note in caught.value.__notes__]
    assert notes == ["During task with name 'fails'", "During task with name 'workflow'"]
    assert workflow.get_state(CONFIG).tasks[0].error == "ValueError('no')"
    assert workflow.invoke(None, CONFIG) == 3
    assert made == ["fine", "fails", "fails"]


def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    @task
    def fails() -> None:
        raise KeyError("k")

    @entrypoint()
    def workflow(_: Any) -> str:
        try:
            fails().result()
        except KeyError as error:
            return f"caught {error}"
        return "not caught"

    assert workflow.invoke(0) == "caught 'k'"


def test_a_call_that_nobody_waits_for_is_over_before_the_run_is() -> None:
    made: list[str] = []
    left = threading.Event()

    @task
    def slow(fail: bool) -> None:
        left.wait(PATIENCE)
        made.append("slow")
        if fail:
            raise ValueError("nobody hears it")

    @entrypoint()
    def workflow(fail: bool) -> int:
        slow(fail)
        left.set()
        return 5

    assert [workflow.invoke(False), workflow.invoke(True)] == [5, 5]
    assert made == ["slow", "slow"]


def test_policies_of_an_entrypoint_are_those_of_its_calls_too() -> None:
    made: list[str] = []

    @task
    def fails() -> None:
        made.append("call")
        raise ValueError("no")

    @task(retry_policy=AGAIN._replace(max_attempts=2))
    def twice() -> None:
        made.append("twice")
        raise ValueError("no")

    @entrypoint(retry_policy=AGAIN)
    def workflow(own: bool) -> None:
        made.append("run")
        (twice() if own else fails()).result()

    with pytest.raises(ValueError, match="no"):
        workflow.invoke(False)
    assert made == ["run", "call", "call", "call"] * 3
    made.clear()
    with pytest.raises(ValueError, match="no"):
        workflow.invoke(True)
    assert made == ["run", "twice", "twice"] * 3


def test_an_attempt_is_given_what_the_one_before_it_has_called() -> None:
    made: list[str] = []

    @task
    def fine() -> int:
        made.append("call")
        return 1

    @entrypoint(retry_policy=AGAIN)
    def workflow(_: Any) -> int:
        made.append("run")
        got = fine().result()
        if made.count("run") < 3:
            raise ValueError("again")
        return got

    assert workflow.invoke(0) == 1
    assert made == ["run", "call", "run", "run"]


def test_tasks_workflows_and_graphs_call_each_other() -> None:
    @task
    def twice(x: int) -> int:
        return add(x).result() + add(x).result()

    @entrypoint()
    def inner(x: int) -> int:
        return twice(x).result() + int(bool(interrupt(x)))

    @entrypoint(InMemorySaver())
    def outer(x: int) -> int:
        return twice(x).result() + inner.invoke(3)

    asked: Any = outer.invoke(1, CONFIG)
    assert asked["__interrupt__"][0].value == 3
    assert outer.invoke(_answer("yes"), CONFIG) == 13


def test_a_function_and_a_graph_in_it_ask_apart() -> None:
    @entrypoint()
    def inner(x: str) -> Any:
        return interrupt(f"inner {x}")

    @task
    def asks(x: str) -> list[Any]:
        return [inner.invoke(x), interrupt(f"own {x}")]

    @entrypoint(InMemorySaver())
    def workflow(x: str) -> list[Any]:
        return [*asks(x).result(), interrupt("last")]

    given: list[Any] = ["x", *map(_answer, "abc")]
    seen: list[Any] = [workflow.invoke(each, CONFIG) for each in given]
    asked = [each["__interrupt__"][0].value for each in seen[:-1]]
    assert asked == ["inner x", "own x", "last"]
    assert seen[-1] == ["a", "b", "c"]


def test_calls_in_calls_never_wait_for_a_thread() -> None:
    @task
    def deep(level: int) -> int:
        return 0 if level == 0 else 1 + max(f.result() for f in [deep(level - 1), deep(0)])

    @entrypoint()
    def workflow(level: int) -> int:
        return deep(level).result()

    narrow: Any = {"max_concurrency": 1}
    assert workflow.invoke(40, narrow) == 40
    assert asyncio.run(workflow.ainvoke(40, narrow)) == 40


def test_futures_are_those_of_concurrent_futures() -> None:
    @entrypoint()
    def workflow(width: int) -> int:
        futures = [add(x) for x in range(width)]
        assert all(isinstance(future, SyncAsyncFuture) for future in futures)
        done, _ = wait(futures)
        assert not any(future.exception() for future in done)
        return sum(future.result() for future in done)

    assert workflow.invoke(200) == sum(range(1, 201))


@dataclass(frozen=True)
class Point:
    x: int


@task
def moved(point: Point) -> Point:
    return Point(point.x + 1)


@entrypoint()
def travels(point: Point) -> list[Point]:
    return [moved(point).result(), Point(int(interrupt("where?")))]


def _memory(_: Path) -> Any:
    return InMemorySaver()


def _sqlite(folder: Path) -> Any:
    return SqliteSaver(sqlite3.connect(folder / "threads", check_same_thread=False))


@pytest.mark.parametrize("saver", [_memory, _sqlite])
def test_classes_that_functions_name_are_stored(
    saver: Callable[[Path], Any], tmp_path: Path
) -> None:
    workflow = entrypoint(saver(tmp_path))(_travels)
    workflow.invoke(Point(1), CONFIG)
    assert workflow.invoke(_answer(7), CONFIG) == [Point(2), Point(7)]
    assert workflow.get_state(CONFIG).values == [Point(2), Point(7)]


def _travels(point: Point) -> list[Point]:
    return [moved(point).result(), Point(int(interrupt("where?")))]


def test_nodes_of_graphs_call_functions_too() -> None:
    from typing import TypedDict  # noqa: PLC0415 one test's own

    from distgraph.graph import START, StateGraph  # noqa: PLC0415 one test's own

    class State(TypedDict, total=False):
        x: int
        y: Any

    made: list[int] = []

    @task
    def noted(x: int) -> int:
        made.append(x)
        return x + 1

    def node(state: State) -> State:
        return {"x": noted(state["x"]).result(), "y": interrupt("?")}

    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    graph = builder.compile(InMemorySaver())
    told = list(graph.stream({"x": 1}, CONFIG, stream_mode="updates"))
    assert told[0] == {"noted": 2}
    assert graph.invoke(_answer("!"), CONFIG) == {"x": 2, "y": "!"}
    assert made == [1]


def test_a_signal_that_was_swallowed_does_not_end_a_worker() -> None:
    assert not issubclass(GraphInterrupt, Exception)


def test_who_leaves_a_stream_early_finds_what_was_kept() -> None:
    made: list[int] = []

    @task
    def noted(x: int) -> int:
        made.append(x)
        return x

    @entrypoint(InMemorySaver())
    def workflow(width: int) -> list[int]:
        return [noted(x).result() for x in range(width)]

    for told in workflow.stream(3, CONFIG, stream_mode="updates"):
        assert told == {"noted": 0}
        break
    assert workflow.invoke(None, CONFIG) == [0, 1, 2]
    assert made == [0, 1, 2]


def test_what_nobody_answers_in_time_in_a_call_has_its_default() -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=1)

    @task
    def asks() -> Any:
        return interrupt("?", deadline=soon, default="nobody")

    @entrypoint(InMemorySaver())
    def workflow(_: Any) -> list[Any]:
        return [asks().result(), "done"]

    workflow.invoke(0, CONFIG)
    wait_until(lambda: datetime.now(UTC) > soon, "the deadline to be over")
    assert workflow.invoke(None, CONFIG) == ["nobody", "done"]


def test_messages_that_functions_return_are_streamed_once() -> None:
    @task
    def says(x: int) -> Any:
        return message(str(x))

    @task
    def updates(x: int) -> Any:
        return {"messages": [message(str(x))], "count": 1}

    @entrypoint(InMemorySaver())
    def workflow(_: Any) -> Any:
        return [says(1).result(), *updates(2).result()["messages"], message("3")]

    told = list(workflow.stream(0, CONFIG, stream_mode="messages"))
    assert [(each.id, about["langgraph_node"]) for each, about in told] == [
        ("1", "says"),
        ("2", "updates"),
        ("3", "workflow"),
    ]


def message(name: str) -> Any:
    (made,) = add_messages([], [{"role": "assistant", "content": name, "id": name}])
    return made
