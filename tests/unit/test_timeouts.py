"""Time limits of nodes and functions that are coroutines."""

from __future__ import annotations

import asyncio
import operator
import threading
from contextlib import nullcontext
from datetime import timedelta
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import (
    Runnable,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from distgraph.channels import LastValue
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.config import get_stream_writer
from distgraph.errors import NodeCancelledError, NodeError, NodeTimeoutError
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.pregel import NodeBuilder, Pregel
from distgraph.runners.attempts import heard_by
from distgraph.runners.limits import TimeLimit
from distgraph.runtime import Runtime
from distgraph.types import RetryPolicy, Send, TimeoutPolicy
from workers import CeleryBackend

SHORT, IDLE, LONG = 0.02, 3.0, 60.0
THREAD: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    xs: Annotated[list[str], operator.add]


async def hangs(_: Any) -> None:
    await asyncio.Event().wait()


def blocks(_: Any) -> None:
    """A node that nothing in this process can stop."""


def only(name: str, node: Any, **options: Any) -> StateGraph[Any, Any, Any, Any]:
    return StateGraph(State).add_node(name, node, **options).add_edge(START, name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (TimeoutPolicy(refresh_on="heartbeat"), None),
        (2, TimeoutPolicy(run_timeout=2.0)),
        (timedelta(minutes=1), TimeoutPolicy(run_timeout=LONG)),
        (TimeoutPolicy(idle_timeout=3), TimeoutPolicy(idle_timeout=timedelta(seconds=3))),
    ],
    ids=["none", "no-limit", "seconds", "timedelta", "idle"],
)
def test_a_bare_time_is_how_long_an_attempt_may_take(given: Any, expected: Any) -> None:
    assert TimeoutPolicy.coerce(given) == expected


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        ({"run_timeout": 0}, ValueError, "run_timeout must be greater than 0"),
        ({"idle_timeout": -1}, ValueError, "idle_timeout must be greater than 0"),
        ({"run_timeout": float("nan")}, ValueError, "run_timeout must be greater than 0"),
        ({"run_timeout": "1"}, TypeError, "run_timeout must be seconds or a timedelta"),
        ({"refresh_on": "never"}, ValueError, "refresh_on must be 'auto' or 'heartbeat'"),
    ],
    ids=["zero", "negative", "no-number", "text", "refresh"],
)
def test_a_limit_is_above_nothing(given: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        TimeoutPolicy(**given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: only("b", blocks, timeout=LONG).compile(),
        lambda: (
            StateGraph(State)
            .set_node_defaults(timeout=LONG)
            .add_node("b", blocks)
            .add_edge(START, "b")
            .compile()
        ),
        lambda: task(timeout=LONG)(blocks),
        lambda: entrypoint(timeout=LONG)(blocks),
    ],
    ids=["node", "default", "task", "entrypoint"],
)
def test_what_blocks_has_no_time_limit(make: Any) -> None:
    with pytest.raises(ValueError, match="only supported for async nodes"):
        make()


def runnables() -> dict[str, tuple[Any, bool]]:
    """Return Runnables of langchain-core, and whether all of their code is coroutines."""
    here, beside = RunnableLambda(blocks), RunnableLambda(hangs)
    return {
        "blocks": (here, False),
        "hangs": (beside, True),
        "both": (RunnableLambda(blocks, hangs), True),
        "bound": (here.with_config(tags=["bound"]), False),
        "bound-coroutine": (beside.with_retry(), True),
        "sequence": (beside | here, False),
        "branches": (RunnableParallel(a=beside, b=here), False),
        "branches-of-coroutines": (RunnableParallel(a=beside, b=beside), True),
        "own": (Blocking(), False),
        "passes": (beside | RunnablePassthrough(), True),
    }


class Blocking(Runnable[Any, Any]):
    """A Runnable that has no coroutine of its own."""

    def invoke(self, input: Any, *_: Any, **options: Any) -> Any:  # noqa: A002, ARG002 as there
        return input


@pytest.mark.parametrize("name", runnables())
def test_what_blocks_within_runnables_has_none_either(name: str) -> None:
    node, is_taken = runnables()[name]
    graph, told = only("r", node, timeout=LONG), "only supported for async nodes"
    with nullcontext() if is_taken else pytest.raises(ValueError, match=told):
        graph.compile()
    steps = NodeBuilder().subscribe_only("xs").do(hangs).do(node).set_timeout(LONG)
    channels = {"xs": LastValue(list)}
    with nullcontext() if is_taken else pytest.raises(ValueError, match=told):
        Pregel(nodes={"r": steps}, channels=channels, input_channels="xs", output_channels="xs")


def test_workers_can_end_what_blocks_unless_a_loop_runs_it() -> None:
    async def path(_: State) -> str:
        return "__end__"

    backend = CeleryBackend("redis://localhost:1")
    limited = only("b", blocks, timeout=LONG).compile(name="limited", backend=backend)
    assert limited.graph.nodes["b"].timeout == TimeoutPolicy(run_timeout=LONG)
    looped = only("b", blocks, timeout=LONG).add_conditional_edges("b", path)
    with pytest.raises(ValueError, match="only supported for async nodes"):
        looped.compile(name="looped", backend=backend)


async def test_a_node_that_takes_too_long_has_failed() -> None:
    graph = only("slow", hangs, timeout=SHORT).compile()
    with pytest.raises(NodeTimeoutError, match=r"exceeded its run timeout of 0\.020s") as raised:
        await graph.ainvoke({})
    error = raised.value
    assert (error.node, error.kind, error.timeout) == ("slow", "run", SHORT)
    assert error.elapsed >= SHORT
    assert not isinstance(error, TimeoutError)


async def test_a_timeout_of_the_nodes_own_is_its_own() -> None:
    async def node(_: State) -> None:
        async with asyncio.timeout(SHORT):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await only("own", node, timeout=LONG).compile().ainvoke({})


async def test_each_attempt_has_its_time_and_the_last_its_handler() -> None:
    attempts: list[int] = []

    async def node(_: State, runtime: Runtime[Any]) -> None:
        attempts.append(runtime.attempt)
        await asyncio.Event().wait()

    def handles(_: State, error: NodeError) -> State:
        return {"xs": [type(error.error).__name__]}

    retry = RetryPolicy(initial_interval=0.0, jitter=False, max_attempts=2)
    graph = only("slow", node, timeout=SHORT, retry_policy=retry, error_handler=handles).compile()
    assert await graph.ainvoke({}) == {"xs": ["NodeTimeoutError"]}
    assert attempts == [1, 2]


Progress = Any


async def by_heartbeat(runtime: Runtime[Any]) -> None:
    runtime.heartbeat()


async def by_chunk(_: Runtime[Any]) -> None:
    get_stream_writer()("chunk")


@task
async def function() -> None:
    """Be called."""


async def by_function(_: Runtime[Any]) -> None:
    await function()


async def by_graph(_: Runtime[Any]) -> None:
    async def node(_: State) -> None:
        """Be run."""

    await only("inside", node).compile().ainvoke({})


def progressing(progress: Progress, policy: TimeoutPolicy) -> Any:
    """A graph of a node that shows progress for longer than it may be idle."""

    async def node(_: State, runtime: Runtime[Any]) -> State:
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.1 * IDLE
        while loop.time() < until:
            await progress(runtime)
            await asyncio.to_thread(blocks, None)
        return {"xs": ["done"]}

    return only("busy", node, timeout=policy).compile(InMemorySaver())


CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.mark.parametrize("progress", [by_heartbeat, by_chunk, by_function, by_graph])
async def test_a_node_that_shows_progress_is_not_idle(progress: Progress) -> None:
    graph = progressing(progress, TimeoutPolicy(idle_timeout=IDLE))
    assert await graph.ainvoke({}, CONFIG, stream_mode="values") == {"xs": ["done"]}


@pytest.mark.parametrize("progress", [by_chunk, by_function, by_graph])
async def test_where_heartbeats_count_nothing_else_does(progress: Progress) -> None:
    graph = progressing(progress, TimeoutPolicy(idle_timeout=0.1, refresh_on="heartbeat"))
    with pytest.raises(NodeTimeoutError, match=r"idle timeout of 0\.100s without making progress"):
        await graph.ainvoke({}, CONFIG)


async def test_progress_does_not_put_off_the_end_of_an_attempt() -> None:
    policy = TimeoutPolicy(run_timeout=0.1, idle_timeout=LONG)
    with pytest.raises(NodeTimeoutError, match="run timeout"):
        await progressing(by_heartbeat, policy).ainvoke({}, CONFIG)


async def test_functions_and_workflows_have_limits_of_their_own() -> None:
    limiting: Any = task
    slow = limiting(timeout=SHORT, name="slow")(hangs)

    @entrypoint()
    async def calls(_: int) -> str:
        try:
            await slow(1)
        except NodeTimeoutError as error:
            return error.node
        return ""

    @entrypoint(timeout=TimeoutPolicy(idle_timeout=SHORT))
    async def idles(given: int) -> None:
        await hangs(given)

    assert await calls.ainvoke(1) == "slow"
    with pytest.raises(NodeTimeoutError, match="'idles' exceeded its idle timeout"):
        await idles.ainvoke(1)


async def test_a_node_that_cancels_itself_has_failed() -> None:
    async def node(_: State) -> None:
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError, match=r"'self' raised asyncio\.CancelledError"):
        await only("self", node).compile().ainvoke({})


async def test_what_is_sent_has_its_own_limit() -> None:
    send = Send("hangs", {"xs": []}, timeout=TimeoutPolicy(run_timeout=SHORT))
    builder = StateGraph(State).add_node("hangs", hangs, timeout=LONG)
    builder.add_conditional_edges(START, lambda _: [send], ["hangs"])
    with pytest.raises(NodeTimeoutError) as caught:
        await builder.compile().ainvoke({"xs": []})
    assert (caught.value.node, caught.value.run_timeout) == ("hangs", SHORT)


def test_what_blocks_cannot_be_sent_with_a_limit() -> None:
    builder = StateGraph(State).add_node("blocks", blocks)
    builder.add_conditional_edges(START, lambda _: [Send("blocks", {}, timeout=LONG)], ["blocks"])
    with pytest.raises(ValueError, match="only supported for async nodes"):
        builder.compile().invoke({"xs": []})


async def test_a_superstep_ends_with_its_time_and_its_coroutines_are_cancelled() -> None:
    ended: list[str] = []

    async def waits(_: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    builder = only("waits", waits).add_node("quick", one_x).add_edge(START, "quick")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.step_timeout = IDLE / 10
    with pytest.raises(TimeoutError, match="step_timeout"):
        await graph.ainvoke({"xs": []}, THREAD)
    assert ended == ["waits"]
    assert graph.get_state(THREAD).next == ("waits",)


def test_what_blocks_is_waited_for_after_the_time_of_its_superstep() -> None:
    let_go = threading.Event()

    def slow(_: Any) -> dict[str, Any]:
        let_go.wait(2 * SHORT)
        return {"xs": ["slow"]}

    graph = only("slow", slow).compile(checkpointer=InMemorySaver())
    graph.step_timeout = SHORT
    with pytest.raises(TimeoutError, match="step_timeout"):
        graph.invoke({"xs": []}, THREAD)
    graph.step_timeout = None
    assert graph.invoke(None, THREAD) == {"xs": ["slow"]}


@pytest.mark.parametrize(("wrong", "kind"), [("1", TypeError), (-1, ValueError), (0, ValueError)])
def test_a_superstep_s_time_is_a_number_above_0(wrong: Any, kind: type[Exception]) -> None:
    graph = only("hangs", hangs).compile()
    with pytest.raises(kind, match="step_timeout must be"):
        graph.step_timeout = wrong
    assert graph.step_timeout is None


def one_x(_: Any) -> dict[str, Any]:
    return {"xs": ["x"]}


async def test_a_token_of_a_model_shows_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    limit, told = TimeLimit("talks", TimeoutPolicy(idle_timeout=IDLE)), []
    beaten: list[str] = []
    monkeypatch.setattr(limit, "beat", lambda: beaten.append("beat"))
    speak = heard_by(limit, lambda *message: told.append(message))
    assert speak is not None
    speak("token", {}, False)
    assert (beaten, told) == (["beat"], [("token", {}, False)])
