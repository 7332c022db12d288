"""Graphs of one node that blocks and has a time limit, which it keeps, breaks or ignores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypedDict

from distgraph.errors import NodeError
from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy, Runtime, TimeoutPolicy
from tests.support.apps.programs import note
from tests.support.waiting import PATIENCE

Builder = StateGraph[Any]
SHORT, IDLE = 0.2, 1.5


class Limited(TypedDict, total=False):
    """Attempts are noted in `log`, with their process."""

    log: str
    out: str


def _note(state: Limited, runtime: Runtime[None]) -> None:
    note(state["log"], f"{runtime.attempt} {os.getpid()}")


def blocks() -> None:
    threading.Event().wait(PATIENCE)


def hangs(state: Limited, runtime: Runtime[None]) -> None:
    _note(state, runtime)
    blocks()


def hangs_once(state: Limited, runtime: Runtime[None]) -> Limited:
    _note(state, runtime)
    if runtime.attempt == 1:
        blocks()
    return {"out": "in time"}


def swallows(state: Limited, runtime: Runtime[None]) -> Limited:
    """Go on once when its time is over, which is noticed all the same."""
    _note(state, runtime)
    try:
        blocks()
    except BaseException:  # noqa: BLE001 that is what it does wrong
        return {"out": "too late"}
    return {"out": "never"}


def ignores(state: Limited, runtime: Runtime[None]) -> Limited:
    """Go on when its time is over, until its process is ended, at the first attempt."""
    _note(state, runtime)
    for _ in range(2 if runtime.attempt == 1 else 0):
        try:
            blocks()
        except BaseException:  # noqa: BLE001 as above
            continue
    return {"out": "in time"}


def beats(state: Limited, runtime: Runtime[None]) -> Limited:
    """Take longer than it may be idle, and say that it is not."""
    _note(state, runtime)
    for _ in range(20):
        runtime.heartbeat()
        threading.Event().wait(IDLE / 10)
    return {"out": "in time"}


def handles(state: Limited, error: NodeError) -> Limited:
    return {"out": type(error.error).__name__}


def _only(node: Any, **options: Any) -> Callable[[], Builder]:
    return lambda: StateGraph(Limited).add_node("only", node, **options).add_edge(START, "only")


AGAIN = RetryPolicy(initial_interval=0.01, jitter=False, max_attempts=2)
LIMITED: dict[str, Callable[[], Builder]] = {
    "limited-hangs": _only(hangs, timeout=SHORT),
    "limited-hangs-once": _only(hangs_once, timeout=SHORT * 10, retry_policy=AGAIN),
    "limited-is-handled": _only(hangs, timeout=SHORT, error_handler=handles),
    "limited-swallows": _only(swallows, timeout=SHORT),
    "limited-ignores": _only(ignores, timeout=SHORT * 10, retry_policy=AGAIN),
    "limited-idles": _only(hangs, timeout=TimeoutPolicy(idle_timeout=SHORT)),
    "limited-beats": _only(beats, timeout=TimeoutPolicy(idle_timeout=IDLE)),
    "limited-step": _only(hangs),
}
STEP_TIMEOUTS = {"limited-step": SHORT}
