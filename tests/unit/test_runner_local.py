"""The runner of this process: parallel tasks, retries, failures, limits; blocking and asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import operator
import threading
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.config import get_config, get_stream_writer
from distgraph.errors import NodeExited
from distgraph.graph import START, CompiledStateGraph, StateGraph
from distgraph.runtime import get_runtime
from distgraph.types import RetryPolicy, Send
from tests.support.waiting import PATIENCE

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    n: int


def fan(width: int, call: Callable[..., Any], **options: Any) -> CompiledStateGraph:
    """Return a graph that sends 0..width-1 to a node."""
    builder = StateGraph(State).add_node("w", call, **options)
    builder.add_conditional_edges(START, lambda _: [Send("w", n) for n in range(width)], ["w"])
    return builder.compile(checkpointer=InMemorySaver())


def test_the_tasks_of_a_superstep_run_beside_each_other() -> None:
    meeting = threading.Barrier(3, timeout=PATIENCE)

    def call(n: int) -> Any:
        meeting.wait()
        return {"log": [n]}

    assert fan(3, call).invoke({}, CONFIG) == {"log": [0, 1, 2]}


async def test_coroutines_of_a_superstep_run_beside_each_other() -> None:
    here, everybody = [], asyncio.Event()

    async def call(n: int) -> Any:
        here.append(n)
        if len(here) == 3:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), PATIENCE)
        return {"log": [n]}

    assert await fan(3, call).ainvoke({}, CONFIG) == {"log": [0, 1, 2]}


def counting(running: list[int], most: list[int]) -> Callable[[int], Any]:
    lock, pairs = threading.Lock(), threading.Barrier(2, timeout=PATIENCE)

    def call(n: int) -> Any:
        with lock:
            running.append(n)
            most.append(len(running))
        pairs.wait()
        with lock:
            running.remove(n)
        return {"log": [n]}

    return call


def test_max_concurrency_bounds_how_many_run_at_once() -> None:
    running: list[int] = []
    most: list[int] = []
    graph = fan(12, counting(running, most))
    assert graph.invoke({}, {**CONFIG, "max_concurrency": 2}) == {"log": list(range(12))}
    assert max(most) == 2


async def test_max_concurrency_bounds_coroutines_too() -> None:
    running: list[int] = []
    most: list[int] = []
    graph = fan(12, counting(running, most))
    found = await graph.ainvoke({}, {**CONFIG, "max_concurrency": 2})
    assert found == {"log": list(range(12))}
    assert max(most) == 2


def test_after_a_failure_no_task_is_started_and_what_finished_is_kept() -> None:
    ran: list[int] = []

    def call(n: int) -> Any:
        ran.append(n)
        if n == 1 and len(ran) == 2:
            raise ZeroDivisionError
        return {"log": [n]}

    graph = fan(100, call)
    with pytest.raises(ZeroDivisionError):
        graph.invoke({}, {**CONFIG, "max_concurrency": 1})
    assert len(ran) < 100
    assert graph.invoke(None, CONFIG) == {"log": list(range(100))}
    assert len(ran) == 101


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_retry_keeps_the_key_and_counts_the_attempts(asynchronous: bool) -> None:
    seen: list[tuple[str, int]] = []

    def flaky(_: Any) -> Any:
        runtime = get_runtime()
        seen.append((runtime.idempotency_key, runtime.attempt))
        if len(seen) < 3:
            raise ConnectionError
        return {"n": 1}

    graph = fan(1, flaky, retry_policy=RetryPolicy(0.001, jitter=False))
    call = (lambda: asyncio.run(graph.ainvoke({}, CONFIG))) if asynchronous else None
    found = call() if call else graph.invoke({}, CONFIG)
    assert found == {"log": [], "n": 1}
    assert [attempt for _, attempt in seen] == [1, 2, 3]
    assert len({key for key, _ in seen}) == 1


def test_nodes_in_threads_see_the_callers_context_variables() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    name.set("caller")

    def call(n: int) -> Any:
        found = name.get()
        name.set("node")
        return {"log": [found]}

    assert fan(3, call).invoke({}, CONFIG) == {"log": ["caller"] * 3}
    assert name.get() == "caller"


@pytest.mark.parametrize("width", [1, 3])
def test_chunks_of_a_node_come_while_it_runs(width: int) -> None:
    read = threading.Event()

    def call(n: int) -> Any:
        get_stream_writer()("working")
        assert read.wait(PATIENCE)
        return {"log": [n]}

    chunks = fan(width, call).stream({}, CONFIG, stream_mode="custom")
    assert next(chunks) == "working"
    read.set()
    assert list(chunks) == ["working"] * (width - 1)


def test_a_node_may_ask_for_its_config() -> None:
    def call(n: int) -> Any:
        return {"log": [get_config()["metadata"]["langgraph_node"]]}

    assert fan(1, call).invoke({}, CONFIG) == {"log": ["w"]}


@pytest.mark.parametrize("ask", [get_config, get_runtime, get_stream_writer])
def test_outside_of_a_node_there_is_nothing_to_ask_for(ask: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match="outside of a node"):
        ask()


def test_a_stream_that_is_left_starts_no_further_task() -> None:
    ran: list[int] = []

    def call(n: int) -> Any:
        ran.append(n)
        return {"log": [n]}

    graph = fan(200, call)
    chunks: Any = graph.stream({}, {**CONFIG, "max_concurrency": 1}, stream_mode="updates")
    next(chunks)
    chunks.close()
    kept = [task.result for task in graph.get_state(CONFIG).tasks if task.result]
    assert kept == [{"log": [n]} for n in ran]


def quick_and_held(gate: threading.Event, ran: list[int]) -> Callable[[int], Any]:
    """Return a node that is done at once for 0, and else when the gate is open."""

    def call(n: int) -> Any:
        ran.append(n)
        if n:
            assert gate.wait(PATIENCE)
        return {"log": [n]}

    return call


def test_a_stream_that_is_left_keeps_what_a_running_sibling_leaves() -> None:
    gate, ran = threading.Event(), list[int]()
    graph = fan(2, quick_and_held(gate, ran))
    chunks: Any = graph.stream({}, CONFIG, stream_mode="updates")
    assert next(chunks) == {"w": {"log": [0]}}
    threading.Timer(0.05, gate.set).start()
    chunks.close()
    assert [task.result for task in graph.get_state(CONFIG).tasks] == [{"log": [0]}, {"log": [1]}]
    assert graph.invoke(None, CONFIG) == {"log": [0, 1]}
    assert sorted(ran) == [0, 1]


def test_a_stream_that_is_left_in_the_middle_of_its_only_task_keeps_its_result() -> None:
    gate, ran = threading.Event(), list[int]()

    def call(n: int) -> Any:
        get_stream_writer()("begun")
        return quick_and_held(gate, ran)(n + 1)

    graph = fan(1, call)
    chunks: Any = graph.stream({}, CONFIG, stream_mode="custom")
    assert next(chunks) == "begun"
    gate.set()
    chunks.close()
    assert (graph.invoke(None, CONFIG), ran) == ({"log": [1]}, [1])


def test_a_retry_is_not_waited_for_by_who_leaves() -> None:
    def call(n: int) -> Any:
        if n:
            raise ConnectionError
        return {"log": [n]}

    graph = fan(2, call, retry_policy=RetryPolicy(initial_interval=10 * PATIENCE))
    chunks: Any = graph.stream({}, CONFIG, stream_mode="updates")
    next(chunks)
    chunks.close()
    (quick, held) = graph.get_state(CONFIG).tasks
    assert (quick.result, held.error) == ({"log": [0]}, "ConnectionError()")


def test_a_stream_that_is_collected_in_a_node_of_its_own_holds_nobody_up() -> None:
    held: list[Any] = []
    begun, gate, over = threading.Event(), threading.Event(), threading.Event()

    def call(n: int) -> Any:
        if n:
            begun.set()
            assert gate.wait(PATIENCE)
            held.pop().close()
            over.set()
        return {"log": [n]}

    held.append(fan(2, call).stream({}, CONFIG, stream_mode="updates"))
    next(held[0])
    assert begun.wait(PATIENCE)
    gate.set()
    assert over.wait(PATIENCE)


async def test_on_a_loop_who_leaves_cancels_coroutines_and_keeps_what_is_done_or_blocks() -> None:
    gate, cancelled = threading.Event(), list[int]()

    async def coroutine(_: State) -> Any:
        try:
            await asyncio.sleep(10 * PATIENCE)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def quick(_: State) -> Any:
        return {"log": ["quick"]}

    def blocking(_: State) -> Any:
        assert gate.wait(PATIENCE)
        return {"log": ["blocking"]}

    builder = StateGraph(State)
    for name, node in (("a", quick), ("b", quick), ("c", blocking), ("d", coroutine)):
        builder.add_node(name, node).add_edge(START, name)
    graph = builder.compile(checkpointer=InMemorySaver())
    chunks: Any = graph.astream({}, CONFIG, stream_mode="updates")
    await anext(chunks)
    asyncio.get_running_loop().call_later(0.05, gate.set)
    await chunks.aclose()
    found = {task.name: task.result for task in (await graph.aget_state(CONFIG)).tasks}
    done = {"log": ["quick"]}
    assert found == {"a": done, "b": done, "c": {"log": ["blocking"]}, "d": None}
    assert cancelled == [1]


async def test_what_is_done_when_a_sibling_fails_is_kept_on_a_loop_too() -> None:
    async def call(n: int) -> Any:
        if not n:
            raise ValueError(n)
        return {"log": [n]}

    graph = fan(3, call)
    with pytest.raises(ValueError, match="0"):
        await graph.ainvoke({}, CONFIG)
    kept = [task.result for task in (await graph.aget_state(CONFIG)).tasks]
    assert kept == [None, {"log": [1]}, {"log": [2]}]


def test_what_happens_inside_a_nodes_graph_is_streamed_on_request() -> None:
    inner = StateGraph(State).add_node("x", lambda _: {"n": 1}).add_edge(START, "x").compile()
    outer = StateGraph(State).add_node("sub", inner).add_edge(START, "sub")
    graph = outer.compile(checkpointer=InMemorySaver())
    found = list(graph.stream({}, CONFIG, stream_mode="updates", subgraphs=True))
    ((path,), first), (root, second) = found
    assert (path.partition(":")[0], first) == ("sub", {"x": {"n": 1}})
    assert (root, second["sub"]["n"]) == ((), 1)
    plain = list(graph.stream({}, CONFIG, stream_mode="updates"))
    assert [list(chunk) for chunk in plain] == [["sub"]]


async def test_a_blocking_node_that_raises_stop_iteration_fails_on_a_loop_too() -> None:
    def call(_: int) -> Any:
        return next(iter([]))

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        await asyncio.wait_for(fan(1, call).ainvoke({}, CONFIG), PATIENCE)


async def test_a_cancelled_task_of_a_nodes_own_is_the_nodes_failure() -> None:
    async def node(_: State) -> State:
        inner = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        inner.cancel()
        await inner
        return {"log": []}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    with pytest.raises(NodeExited, match="CancelledError"):
        await graph.ainvoke({"log": []})


async def test_the_failure_of_a_task_group_in_a_node_is_the_nodes_failure() -> None:
    async def child() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def node(_: State) -> State:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
        return {"log": []}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    with pytest.raises(ExceptionGroup, match="unhandled errors in a TaskGroup"):
        await graph.ainvoke({"log": []})


async def test_a_cancelled_run_does_not_retry_its_nodes() -> None:
    began, tries = asyncio.Event(), []

    async def node(_: State) -> State:
        tries.append(1)
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError("lost") from None
        return {"log": []}

    again = RetryPolicy(initial_interval=0, jitter=False)
    builder = StateGraph(State).add_node("node", node, retry_policy=again)
    run = asyncio.create_task(builder.add_edge(START, "node").compile().ainvoke({"log": []}))
    await began.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert tries == [1]


async def test_a_cancelled_run_cancels_its_nodes() -> None:
    ended: list[str] = []
    began = asyncio.Event()

    async def node(_: State) -> State:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("node")
        return {"log": []}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()
    run = asyncio.create_task(graph.ainvoke({"log": []}))
    await began.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ended == ["node"]
