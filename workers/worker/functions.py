"""What a task calls: functions of workflows, and graphs that it says so of, are jobs of their own.

Other functions run here.

What those return that run here is kept under the fence of their caller's attempt, so that another
attempt is given it: also where this one was killed, or waits for an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from distgraph.core.execute import Offload, run_task, run_task_async
from distgraph.core.model import Completed, Interrupted, Result, Task
from distgraph.runners.local import aperforming, performing
from distgraph.runners.looped import LoopedFunctions
from distgraph.runners.stores import Asking, SaverCall
from distgraph.runners.threaded import WIDTH, ThreadedFunctions

from .attempt import Attempt
from .calls import MadeCalls
from .dispatching import Dispatching, LoopDispatching
from .failures import told_to_end
from .handling import ahandled, handled
from .told_calls import told_calls


def run_attempt(attempt: Attempt) -> Result:
    """Run a node that blocks, and the functions that it calls."""
    calls = _calls(attempt)
    tell = told_calls(attempt, calls)
    here = ThreadedFunctions(KeptByCalls(), performing(KeptCalls(calls)), WIDTH, tell)
    attempt.frame.graphs = left = Dispatching(attempt, calls, here, tell)
    attempt.frame.functions = left if attempt.opened.calls_functions else here
    try:
        result = run_task(attempt.graph, attempt.task, attempt.values, attempt.frame)
        if told_to_end(result) is None:
            here.rest()
        result = handled(attempt, left.settled(result))
        if told_to_end(result) is None:
            here.rest()
        return result
    finally:
        here.close()


async def arun_attempt(attempt: Attempt, offload: Offload) -> Result:
    """Run a node on the loop, and the functions that it calls."""
    calls = _calls(attempt)
    tell = told_calls(attempt, calls)
    here = LoopedFunctions(KeptByCalls(), aperforming(KeptCalls(calls)), tell=tell)
    attempt.frame.graphs = left = LoopDispatching(attempt, calls, here, tell)
    attempt.frame.functions = left if attempt.opened.calls_functions else here
    body = run_task_async(attempt.graph, attempt.task, attempt.values, attempt.frame, offload)
    try:
        if attempt.opened.calls_functions or calls.has_risen:
            await left.read()
        result = await left.run(body)
        result = left.settled(await _rested(result, here, always=left.has_left))
        return await _rested(await ahandled(attempt, result, offload), here)
    finally:
        await here.close()


async def _rested(result: Result, here: LoopedFunctions, *, always: bool = False) -> Result:
    if always or isinstance(result, Completed | Interrupted):
        await here.rest()
    return result


def _calls(attempt: Attempt) -> MadeCalls:
    called = attempt.called
    return MadeCalls(attempt.opened, attempt.frame, called, called.has_risen)


class KeptByCalls:
    """Asks for what is kept, as a runner's keeper."""

    def find(self, task: Task) -> Generator[Asking, Any, Result | None]:
        """Return what is kept of a call."""
        found: Result | None = yield SaverCall("find", (task,))
        return found

    def keep(self, task: Task, result: Result) -> Generator[Asking, Any, None]:
        """Keep what a call has returned."""
        yield SaverCall("keep", (task, result))


@dataclass(frozen=True, slots=True)
class KeptCalls:
    """What is kept of the calls that an attempt makes in its process."""

    calls: MadeCalls

    def find(self, task: Task) -> Result | None:
        """Return what another attempt has kept of a call."""
        return self.calls.left(task)

    def keep(self, task: Task, result: Completed) -> None:
        """Keep what a call has returned; GivenUp where the attempt was."""
        self.calls.keep(task, result)

    async def afind(self, task: Task) -> Result | None:
        """Do what ``find`` does."""
        return await asyncio.to_thread(self.find, task)

    async def akeep(self, task: Task, result: Completed) -> None:
        """Do what ``keep`` does."""
        await asyncio.to_thread(self.keep, task, result)
