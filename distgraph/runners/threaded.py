"""Makes the calls of functions in threads, for callers that block."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from functools import partial
from typing import Any

from distgraph.core.execute import run_task
from distgraph.core.frame import CallArguments, TaskFrame
from distgraph.core.graph import Graph, Node
from distgraph.core.model import Result
from distgraph.effects import carry
from distgraph.runners.functions import (
    FunctionCall,
    Keeper,
    Need,
    OpenCalls,
    Sleep,
    TellCalls,
    Try,
    steps,
)
from distgraph.runners.futures import SyncAsyncFuture
from distgraph.runners.stores import Asking

WIDTH = min(32, (os.cpu_count() or 1) + 4)
"""So many tasks of a superstep, and so many calls, run at once where nobody says how many may."""
NO_ASYNC = (
    "Task '{}' is a coroutine function, and its caller blocks: in a sync context async tasks "
    "cannot be called. Call it in an async entrypoint or node, and run that by ainvoke() or "
    "astream()."
)


class ThreadedFunctions:
    """Makes the calls of the tasks of one superstep; ``perform`` answers what a keeper asks.

    As long as it ``is_unused``, it may be taken for another superstep, with the ``keeper`` of that.
    """

    def __init__(
        self,
        keeper: Keeper,
        perform: Callable[[Asking], Any],
        width: int,
        tell: TellCalls | None = None,
    ) -> None:
        self.keeper, self._perform, self._width = keeper, perform, width
        self._calls = OpenCalls(tell)
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, caller: TaskFrame, node: Node, given: CallArguments) -> SyncAsyncFuture[Any]:
        """Begin a call; RuntimeError for a coroutine function."""
        return self.make(self.call(caller, node, given))

    def call(self, caller: TaskFrame, node: Node, given: CallArguments) -> FunctionCall:
        """Return the next call of an attempt; RuntimeError for a coroutine function."""
        if node.callee.call is None:
            raise RuntimeError(NO_ASYNC.format(node.name))
        return self._calls.call(caller, node, given)

    def make(self, call: FunctionCall) -> SyncAsyncFuture[Any]:
        """Have a call made in a thread; return a future of what it returns."""
        if known := self._calls.known(call):
            return known
        make = partial(self._make, call)
        future: SyncAsyncFuture[Any] = SyncAsyncFuture(lambda: make(future))
        self._calls.add(call, future)
        self._threads().submit(make, future)
        return future

    def rest(self) -> None:
        """Wait until no call is open."""
        while open_now := tuple(self._calls.open):
            for future in open_now:
                future.begin()
            wait_for(open_now)

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    @property
    def is_unused(self) -> bool:
        """Whether no call was ever made."""
        return not self._calls.futures

    @property
    def is_resting(self) -> bool:
        """Whether no call is open."""
        return not self._calls.open

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._width, "distgraph-call")
        return self._pool

    def _make(self, call: FunctionCall, future: SyncAsyncFuture[Any]) -> None:
        """Make a call, unless somebody else does."""
        make_here(self._calls, self.keeper, call, future, self._answer)

    def _answer(self, need: Need) -> Any:
        return answered_here(need, self._perform)


def make_here(
    begun: OpenCalls,
    keeper: Keeper,
    call: FunctionCall,
    future: SyncAsyncFuture[Any],
    perform: Callable[[Need], Any],
) -> None:
    """Make a call in this thread, unless somebody else does; what it needs ``perform`` answers."""
    if not begun.claim(future):
        return
    try:
        outcome = call.context.run(carry, steps(call, keeper), perform)
    except BaseException as error:  # noqa: BLE001 it belongs to whoever waits for the call
        begun.failed(future, error)
    else:
        begun.over(call, future, outcome)


def answered_here(need: Need, perform: Callable[[Asking], Any]) -> Any:
    """Answer what a call needs, blocking."""
    match need:
        case Try(frame):
            return attempted(frame)
        case Sleep(seconds):
            time.sleep(seconds)
            return None
        case asking:
            return perform(asking)


def attempted(frame: TaskFrame) -> Result:
    """Make one attempt at a call in this thread."""
    return run_task(of_call(frame), frame.task, frame.checkpoint.values, frame)


def of_call(frame: TaskFrame) -> Graph:
    """Return the graph of a call's frame."""
    assert frame.graph is not None
    return frame.graph
