"""A run with `durability="async"` goes on while what it left is stored."""

from __future__ import annotations

import asyncio
import operator
import threading
from typing import Annotated, Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, StateGraph
from tests.support.waiting import PATIENCE

THREAD: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    xs: Annotated[list[str], operator.add]


class Waits(InMemorySaver):
    """Stores nothing new before the node that runs meanwhile lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.opened = asyncio.Event()
        self.steps: list[int] = []

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        assert metadata["step"] > 1 or self.gate.wait(PATIENCE)
        self.steps.append(metadata["step"])
        return super().put(config, checkpoint, metadata, new_versions)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        await self.opened.wait()
        self.steps.append(metadata["step"])
        return super().put(config, checkpoint, metadata, new_versions)


class Broken(InMemorySaver):
    """Cannot store the checkpoint of one step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if metadata["step"] == self.step:
            msg = "the disk is full"
            raise OSError(msg)
        return super().put(config, checkpoint, metadata, new_versions)


def two(first: Any, second: Any, saver: Any) -> Any:
    builder = StateGraph(State).add_node("a", first).add_node("b", second)
    return builder.add_edge(START, "a").add_edge("a", "b").compile(saver)


def test_a_superstep_runs_while_its_checkpoint_is_stored() -> None:
    saver = Waits()

    def opens(_: State) -> State:
        saver.gate.set()
        return {"xs": ["a"]}

    graph = two(opens, lambda _: {"xs": ["b"]}, saver)
    assert graph.invoke({"xs": []}, THREAD, durability="async") == {"xs": ["a", "b"]}
    assert saver.steps == [-1, 0, 1, 2]
    assert [state.next for state in graph.get_state_history(THREAD)] == [
        (),
        ("b",),
        ("a",),
        ("__start__",),
    ]


async def test_a_superstep_runs_while_its_checkpoint_is_stored_on_a_loop() -> None:
    saver = Waits()

    async def opens(_: State) -> State:
        saver.opened.set()
        return {"xs": ["a"]}

    graph = two(opens, lambda _: {"xs": ["b"]}, saver)
    assert await graph.ainvoke({"xs": []}, THREAD, durability="async") == {"xs": ["a", "b"]}
    assert saver.steps == [-1, 0, 1, 2]


async def test_what_is_being_stored_when_a_run_is_cancelled_is_stored() -> None:
    saver, began = Waits(), asyncio.Event()

    async def hangs(_: State) -> None:
        began.set()
        await asyncio.Event().wait()

    graph = two(hangs, hangs, saver)
    run = asyncio.create_task(graph.ainvoke({"xs": []}, THREAD, durability="async"))
    await began.wait()
    run.cancel()
    asyncio.get_running_loop().call_soon(saver.opened.set)
    with pytest.raises(asyncio.CancelledError):
        await run
    assert saver.steps == [-1, 0]


async def invokes(graph: Any) -> None:
    graph.invoke({"xs": []}, THREAD, durability="async")


async def awaits(graph: Any) -> None:
    await graph.ainvoke({"xs": []}, THREAD, durability="async")


CALLS: dict[str, Any] = {"invoke": invokes, "ainvoke": awaits}


@pytest.mark.parametrize("called", CALLS)
@pytest.mark.parametrize("step", [-1, 0, 1, 2])
async def test_what_a_saver_raises_is_raised_before_the_run_ends(called: str, step: int) -> None:
    ran: list[str] = []
    graph = two(lambda _: ran.append("a"), lambda _: ran.append("b"), Broken(step))
    with pytest.raises(OSError, match="the disk is full"):
        await CALLS[called](graph)
    assert ran == ["a", "b"][: 1 + max(step, 0)]
    assert len(list(graph.get_state_history(THREAD))) == step + 1


def test_a_failure_is_kept_with_the_checkpoint_that_was_stored_meanwhile() -> None:
    def fails(_: State) -> None:
        msg = "no"
        raise ValueError(msg)

    graph = two(lambda _: {"xs": ["a"]}, fails, InMemorySaver())
    with pytest.raises(ValueError, match="no"):
        graph.invoke({"xs": []}, THREAD, durability="async")
    (task,) = graph.get_state(THREAD).tasks
    assert (task.name, task.error) == ("b", "ValueError('no')")
