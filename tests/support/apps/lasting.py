"""Graphs of one node that takes as long as its test wants, blocking or as a coroutine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import RetryPolicy, Runtime
from tests.support.apps.programs import note
from tests.support.waiting import wait_until, wait_until_async

Builder = StateGraph[Any]


class Lasting(TypedDict, total=False):
    """Begins and ends are noted in `log`; the file `gate` lets it end."""

    log: str
    gate: str
    done: str


def _note(state: Lasting, runtime: Runtime[None], what: str) -> None:
    note(state["log"], f"{what} {runtime.attempt} {os.getpid()}")


def block(state: Lasting, runtime: Runtime[None]) -> dict[str, Any]:
    _note(state, runtime, "begins")
    wait_until(Path(state["gate"]).exists, "the gate")
    _note(state, runtime, "ends")
    return {"done": "blocking"}


async def last(state: Lasting, runtime: Runtime[None]) -> dict[str, Any]:
    _note(state, runtime, "begins")
    try:
        await wait_until_async(Path(state["gate"]).exists, "the gate")
    finally:
        _note(state, runtime, "ends")
    return {"done": "coroutine"}


def _only(node: Any, **options: Any) -> Callable[[], Builder]:
    def build() -> Builder:
        builder = StateGraph(Lasting).add_node("only", node, **options)
        builder.add_edge(START, "only").add_edge("only", END)
        return builder

    return build


AGAIN = RetryPolicy(initial_interval=0.01, max_attempts=2)
LASTING: dict[str, Callable[[], Builder]] = {
    "block": _only(block),
    "block_again": _only(block, retry_policy=AGAIN),
    "last": _only(last),
}
