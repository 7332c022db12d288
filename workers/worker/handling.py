"""Error handlers: they run in the job in which their node failed for good, and has the exception.

What one leaves is recorded as what its task left. Where its worker dies, or it waits for an answer,
the node runs again before it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any, NamedTuple

from distgraph.core.execute import Offload, run_task, run_task_async
from distgraph.core.failures import exception_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Node
from distgraph.core.handlers import handling
from distgraph.core.model import Completed, Errored, Result
from distgraph.core.retry import retry_delay
from distgraph.effects import acarry, carry
from distgraph.errors import NodeError
from distgraph.runners.attempts import limit_of
from distgraph.runners.lanes import TaskLanes

from .attempt import Attempt
from .failures import told_to_end


class _Try(NamedTuple):
    """Asks for an attempt of the handler."""

    frame: TaskFrame


class _Pause(NamedTuple):
    """Asks to wait for so many seconds."""

    seconds: float


HandlerSteps = Generator[_Try | _Pause, Any, Result]


def handled(attempt: Attempt, result: Result) -> Result:
    """Return what an attempt leaves after all: what its handler makes of a failure for good."""

    def perform(need: _Try | _Pause) -> Any:
        if isinstance(need, _Pause):
            return time.sleep(need.seconds)
        return run_task(attempt.graph, need.frame.task, attempt.values, need.frame)

    return carry(_steps(attempt, result), perform)


async def ahandled(attempt: Attempt, result: Result, offload: Offload) -> Result:
    """Return what ``handled`` returns."""

    async def perform(need: _Try | _Pause) -> Any:
        if isinstance(need, _Pause):
            return await asyncio.sleep(need.seconds)
        task = need.frame.task
        return await run_task_async(attempt.graph, task, attempt.values, need.frame, offload)

    return await acarry(_steps(attempt, result), perform)


def _steps(attempt: Attempt, result: Result) -> HandlerSteps:
    handler = attempt.node.handler
    if handler is None or not isinstance(result, Errored) or not _is_final(attempt, result):
        return result
    left = yield from _tries(attempt, handler, result)
    match left:
        case Completed():
            return replace(left, handled=True)
        case Errored():
            return replace(left, is_settled=True)
        case _:
            return left


def _is_final(attempt: Attempt, error: Errored) -> bool:
    """Whether the node is not tried again, and it was the node that failed."""
    if attempt.called.wish is not None:
        return False
    if told_to_end(error) is not None or attempt.called.is_given_up(error):
        return False
    depth = len(attempt.opened.around)
    return retry_delay(attempt.node, error, attempt.failures + 1, 0.0, depth) is None


def _tries(attempt: Attempt, handler: Node, error: Errored) -> HandlerSteps:
    number = 1
    while True:
        result: Result = yield _Try(_frame(attempt, handler, error, number))
        if not isinstance(result, Errored) or told_to_end(result) is not None:
            return result
        jitter = random.uniform(0, 1)  # noqa: S311 only that
        pause = retry_delay(handler, result, number, jitter)
        if pause is None:
            return result
        yield _Pause(pause)
        number += 1


def _frame(attempt: Attempt, handler: Node, error: Errored, number: int) -> TaskFrame:
    task = handling(attempt.task, handler)
    return replace(
        attempt.frame,
        task=task,
        attempt=number,
        handled=NodeError(attempt.task.node, exception_of(error)),
        lanes=TaskLanes(),
        limit=limit_of(handler, task),
        calls=0,
        inquiry=None,
        pending=[],
        taken=set(),
        failed=None,
        heard={},
    )
