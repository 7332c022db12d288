"""Who cancels the future of a called function cancels its coroutine, as in LangGraph."""

from __future__ import annotations

import asyncio
from typing import Any

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.types import Command, interrupt

CONFIG = {"configurable": {"thread_id": "t"}}


def test_it_is_called_again_by_the_next_attempt_alone() -> None:
    begun: list[str] = []
    cancelled: list[str] = []

    async def run() -> list[Any]:
        is_begun = asyncio.Event()

        @task
        async def ends(name: str) -> str:
            begun.append(name)
            return name

        @task
        async def hangs(name: str) -> str:
            begun.append(name)
            is_begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(name)
                raise
            return name

        @entrypoint(checkpointer=InMemorySaver())
        async def workflow(_: Any) -> list[str]:
            wanted, unwanted = ends("a"), hangs("b")
            is_begun.clear()
            await is_begun.wait()
            unwanted.cancel()
            return [await wanted, interrupt("which?")]

        asked = await workflow.ainvoke(1, CONFIG)
        return [
            [one.value for one in asked["__interrupt__"]],
            await workflow.ainvoke(Command(resume="this"), CONFIG),
        ]

    assert asyncio.run(run()) == [["which?"], ["a", "this"]]
    assert (begun, cancelled) == (["a", "b", "b"], ["b", "b"])
