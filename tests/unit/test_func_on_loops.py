"""Workflows on an event loop: coroutines and blocking functions, cancelled, limited, asking."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.types import Command, interrupt

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
async def aadd(x: int, y: int = 1) -> int:
    await asyncio.sleep(0)
    return x + y


def _answer(value: Any) -> Any:
    return Command(resume=value)


async def test_coroutines_and_blocking_functions_in_a_coroutine() -> None:
    @entrypoint(InMemorySaver())
    async def workflow(x: int) -> list[Any]:
        both = await asyncio.gather(aadd(x), add(x, 5))
        return [*both, await aadd(1), interrupt("?")]

    asked: Any = await workflow.ainvoke(1, CONFIG)
    assert asked["__interrupt__"]
    assert await workflow.ainvoke(_answer("!"), CONFIG) == [2, 6, 2, "!"]


async def test_a_blocking_workflow_beside_a_loop_calls_coroutines() -> None:
    @entrypoint()
    def workflow(x: int) -> int:
        return aadd(x).result() + add(x).result()

    assert await workflow.ainvoke(1) == 4
    with pytest.raises(RuntimeError, match="in a sync context async tasks cannot be called"):
        await asyncio.to_thread(workflow.invoke, 1)


async def test_coroutines_are_cancelled_with_the_workflow_that_failed() -> None:
    ended: list[str] = []

    @task
    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    @entrypoint()
    async def workflow(_: Any) -> None:
        endless()
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await workflow.ainvoke(0)
    assert ended == ["cancelled"]


async def test_what_asks_leaves_a_coroutine_that_catches_exceptions() -> None:
    @task
    async def asks() -> Any:
        return interrupt("?")

    @entrypoint(InMemorySaver())
    async def workflow(_: Any) -> Any:
        try:
            return await asyncio.gather(asks(), aadd(1))
        except Exception:  # noqa: BLE001 what a user may write
            return "swallowed"

    assert (await workflow.ainvoke(0, CONFIG))["__interrupt__"][0].value == "?"
    assert await workflow.ainvoke(_answer("!"), CONFIG) == ["!", 2]


async def test_no_more_coroutines_run_at_once_than_a_config_says() -> None:
    running: list[int] = []
    widest: list[int] = []

    @task
    async def counted(x: int) -> int:
        running.append(x)
        widest.append(len(running))
        got = await aadd(x)
        running.remove(x)
        return got

    @entrypoint()
    async def workflow(width: int) -> int:
        return sum(await asyncio.gather(*map(counted, range(width))))

    assert await workflow.ainvoke(20, {"max_concurrency": 3}) == sum(range(21))
    assert max(widest) == 3
