"""Makes the calls of functions for callers on an event loop: coroutines there, the rest in threads.

Callers may also be functions that block, in threads beside the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from typing import Any

from distgraph.core.execute import run_task_async
from distgraph.core.frame import CallArguments, TaskFrame
from distgraph.core.graph import Node
from distgraph.effects import acarry
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
from distgraph.runners.threaded import WIDTH, answered_here, make_here, of_call

AnyFuture = SyncAsyncFuture[Any] | asyncio.Future[Any]


class LoopedFunctions:
    """Makes the calls of the tasks of one superstep; made on the loop where they run.

    ``most`` calls are made at once, None for any number of coroutines. Those that calls make have
    no part in that: who waits for them is counted already.
    """

    def __init__(
        self,
        keeper: Keeper,
        perform: Callable[[Asking], Awaitable[Any]],
        most: int | None = None,
        tell: TellCalls | None = None,
    ) -> None:
        self._keeper, self._perform, self._width = keeper, perform, most or WIDTH
        self._slots: Any = asyncio.Semaphore(most) if most else nullcontext()
        self._calls = OpenCalls(tell)
        self._outlive = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._running: dict[asyncio.Task[None], SyncAsyncFuture[Any]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, caller: TaskFrame, node: Node, given: CallArguments) -> AnyFuture:
        """Begin a call; return a future of the loop to who is on it."""
        return self.make(self.call(caller, node, given))

    def call(self, caller: TaskFrame, node: Node, given: CallArguments) -> FunctionCall:
        """Return the next call of an attempt."""
        return self._calls.call(caller, node, given)

    def make(self, call: FunctionCall) -> AnyFuture:
        """Have a call made; return a future of the loop to who is on it."""
        future = self._calls.known(call) or self._beginning(call)
        return self.given(future)

    def given(self, future: SyncAsyncFuture[Any]) -> AnyFuture:
        """Return what a caller gets of a future: one of the loop to who is on it."""
        if not self.is_here:
            return future
        wrapped = asyncio.wrap_future(future)
        wrapped.add_done_callback(partial(self._left, future))
        return wrapped

    def _left(self, future: SyncAsyncFuture[Any], waiting: asyncio.Future[Any]) -> None:
        """Cancel the coroutine of a call with the future of it, as LangGraph does."""
        if not waiting.cancelled():
            _seen(waiting)
            return
        if self._outlive:
            return
        for making, made in self._running.items():
            if made is future:
                self._calls.forget(future)
                making.cancel()

    def outlive(self) -> None:
        """Let calls go on that a body has begun which is left: it runs again, and is given them."""
        self._outlive = True

    @property
    def is_here(self) -> bool:
        """Whether this is the thread of the loop."""
        return threading.get_ident() == self._thread

    def _beginning(self, call: FunctionCall) -> SyncAsyncFuture[Any]:
        if call.graph.nodes[call.task.node].callee.acall is None:
            make = partial(self._make_in_thread, call)
            future: SyncAsyncFuture[Any] = SyncAsyncFuture(lambda: make(future))
            self._calls.add(call, future)
            self._threads().submit(make, future)
            return future
        spawned: SyncAsyncFuture[Any] = SyncAsyncFuture(lambda: None)
        self._calls.add(call, spawned)
        if self.is_here:
            self._spawn(call, spawned)
        else:
            self._loop.call_soon_threadsafe(self._spawn, call, spawned)
        return spawned

    async def rest(self) -> None:
        """Wait until no call is open."""
        while open_now := tuple(self._calls.open):
            waited = [asyncio.wrap_future(future) for future in open_now]
            for each in waited:
                each.add_done_callback(_seen)
            await asyncio.wait(waited)

    async def cancel(self) -> None:
        """Cancel the coroutines, and wait for no thread any more: nothing can stop it."""
        running = tuple(self._running)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for future in tuple(self._calls.open):
            self._calls.close(future)

    async def close(self) -> None:
        """Cancel what is still open, and let the threads end."""
        await self.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    @property
    def is_resting(self) -> bool:
        """Whether no call is open."""
        return not self._calls.open

    # --- coroutines ---------------------------------------------------------------------------

    def _spawn(self, call: FunctionCall, future: SyncAsyncFuture[Any]) -> None:
        making = self._loop.create_task(self._make(call, future), context=call.context)
        self._running[making] = future
        making.add_done_callback(self._ended)

    def _ended(self, making: asyncio.Task[None]) -> None:
        """TellCalls who waits for a call whose task was cancelled before it could do so itself."""
        future = self._running.pop(making)
        if not future.done():
            self._calls.failed(future, asyncio.CancelledError())

    async def _make(self, call: FunctionCall, future: SyncAsyncFuture[Any]) -> None:
        if not self._calls.claim(future):
            return
        try:
            async with self._slots if call.is_outermost else nullcontext():
                outcome = await acarry(steps(call, self._keeper), self._answer)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 it belongs to whoever waits for the call
            self._calls.failed(future, error)
        else:
            self._calls.over(call, future, outcome)

    async def _answer(self, need: Need) -> Any:
        match need:
            case Try(frame):
                values = frame.checkpoint.values
                return await run_task_async(
                    of_call(frame), frame.task, values, frame, asyncio.to_thread
                )
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case asking:
                return await self._perform(asking)

    # --- threads ------------------------------------------------------------------------------

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._width, "distgraph-call")
        return self._pool

    def _make_in_thread(self, call: FunctionCall, future: SyncAsyncFuture[Any]) -> None:
        make_here(self._calls, self._keeper, call, future, self._answer_in_thread)

    def _answer_in_thread(self, need: Need) -> Any:
        return answered_here(need, self._ask_the_loop)

    def _ask_the_loop(self, asking: Asking) -> Any:
        return asyncio.run_coroutine_threadsafe(self._asked(asking), self._loop).result()

    async def _asked(self, asking: Asking) -> Any:
        return await self._perform(asking)


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at how a call ended, for whom nobody waits may fail in silence, as in a thread."""
    if not future.cancelled():
        future.exception()
