"""Run the tasks of a superstep on an event loop, blocking nodes in threads beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any, Self

from distgraph.core.beside import TIMED_OUT
from distgraph.core.execute import run_task_async
from distgraph.core.frame import discard
from distgraph.core.model import Result, Task, ThreadState
from distgraph.effects import acarry
from distgraph.engine import Execute
from distgraph.errors import SerializationError
from distgraph.events import Custom, Event, Spoke
from distgraph.runners.attempts import (
    Around,
    OpenSuperstep,
    is_stopped,
    open_superstep,
    unstorable,
)
from distgraph.runners.backend import Job
from distgraph.runners.functions import StoreKeeper
from distgraph.runners.looped import LoopedFunctions
from distgraph.runners.stores import Asking, Keeping

PASSES = (KeyboardInterrupt,)


class Tasks:
    """Executes the supersteps of one job; ``state`` is the state after the last one."""

    def __init__(
        self, job: Job, perform: Callable[[Asking], Awaitable[Any]], keeping: Keeping
    ) -> None:
        self._job, self._perform, self._keeping = job, perform, keeping
        self._told: asyncio.Queue[Event | Task | None] = asyncio.Queue()
        self._functions: LoopedFunctions | None = None
        self._running: dict[str, asyncio.Task[Result]] = {}
        self._blocking: set[str] = set()
        self._leaving = False
        self._open: OpenSuperstep | None = None
        self._asked: tuple[Task, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        most = job.max_concurrency
        self._slots: Any = asyncio.Semaphore(most) if most else nullcontext()
        self.state: ThreadState | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is GeneratorExit and self._open is not None:
                await self._leave(self._open)
        finally:
            await self._cancel()
            if self._functions is not None:
                await self._functions.close()

    async def execute(self, request: Execute) -> AsyncIterator[Event]:
        """Run the tasks and tell what happens; after a final failure the others are cancelled."""
        ns = self._job.place.ns
        functions = self._functions = LoopedFunctions(
            StoreKeeper(self._keeping.store, request.state),
            self._perform,
            self._job.max_concurrency,
            self._tell,
        )
        around = Around(
            emit=(lambda chunk: self._tell(Custom(ns, chunk))) if self._job.live else discard,
            publish=self._tell if self._job.live else None,
            frames=self._keeping.frames,
            passes=PASSES,
            functions=functions,
            speak=self._speak if self._job.invocation.hears else None,
        )
        superstep = open_superstep(self._job, request, around)
        self.state, self._open, self._asked = superstep.state, superstep, request.tasks
        for task in request.tasks:
            self._begin(superstep, task)
        failed, until = False, self._until()
        while self._running or not functions.is_resting:
            told = await self._next(until)
            if not isinstance(told, Task):
                if told is not None:
                    yield told
                continue
            if await self._keep(superstep, told):
                yield superstep.ended(told)
                if superstep.ends_run(told):
                    failed = True
                    await self._cancel()
                    await functions.cancel()
                elif not failed and (handler := superstep.handler_of(told)):
                    self._begin(superstep, handler)
        await functions.close()

    def _until(self) -> float | None:
        """Return when the superstep that begins is to be over, in the time of the loop."""
        limit = self._job.step_timeout
        return None if limit is None else self._loop.time() + limit

    async def _next(self, until: float | None) -> Event | Task | None:
        """Return what is told next; TimeoutError where nothing is before the time is over."""
        if until is None or not self._told.empty():
            return await self._told.get()
        try:
            async with asyncio.timeout_at(until):
                return await self._told.get()
        except TimeoutError:
            raise TimeoutError(TIMED_OUT) from None

    def _speak(self, message: Any, about: Mapping[str, Any], whole: bool) -> None:
        self._tell(Spoke(self._job.place.ns, message, about, whole))

    def _tell(self, told: Event | Task | None) -> None:
        """Queue an event in order, from the loop or from a node's own thread."""
        if threading.get_ident() == self._thread:
            self._told.put_nowait(told)
        else:
            self._loop.call_soon_threadsafe(self._told.put_nowait, told)

    def _begin(self, superstep: OpenSuperstep, task: Task) -> None:
        attempts = self._attempts(superstep, task)
        running = self._loop.create_task(attempts)
        running.add_done_callback(lambda _: self._tell(task))
        self._running[task.id] = running

    async def _keep(self, superstep: OpenSuperstep, task: Task) -> bool:
        """Keep the result of a task that is over; False where there is none, or nobody wants it."""
        done = self._running.pop(task.id, None)
        if done is None:
            return False
        result = superstep.timed(task, await done)
        if is_stopped(result):
            superstep.results[task.id] = result
            return False
        try:
            await acarry(self._keeping.store.result(superstep.state, task, result), self._perform)
        except SerializationError as error:
            result = unstorable(superstep, task, result, error)
        superstep.results[task.id] = result
        return True

    async def _leave(self, superstep: OpenSuperstep) -> None:
        """Keep what tasks leave whose caller has left: those that are done, or cannot be stopped.

        Coroutines are cancelled; blocking code in a thread goes on whatever becomes of its result.
        """
        self._leaving = True
        await self._cancel(self._blocking)
        if self._running:
            await asyncio.wait(self._running.values())
        for task in self._asked:
            await self._keep(superstep, task)

    async def _cancel(self, spared: Collection[str] = ()) -> None:
        """Cancel the tasks that are not over, but those that are ``spared``."""
        over = {tid for tid, each in self._running.items() if each.done()} | {*spared}
        cancelled = [self._running.pop(tid) for tid in self._running.keys() - over]
        for each in cancelled:
            each.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)

    async def _attempts(self, superstep: OpenSuperstep, task: Task) -> Result:
        """Try the task until it has a final result, or nobody wants one any more."""
        attempt, result = 1, None
        offload = partial(self._beside, task.id)
        async with self._slots:
            while True:
                frame = superstep.frame(task, attempt)
                result = await run_task_async(
                    superstep.graph, task, superstep.checkpoint.values, frame, offload
                )
                if task.id not in self._running:  # a TaskGroup in the node may have taken it
                    raise asyncio.CancelledError
                pause = superstep.delay(task, result, attempt)
                if pause is None or self._leaving:
                    return result
                await asyncio.sleep(pause)
                attempt += 1

    async def _beside(self, tid: str, call: Callable[[], Any]) -> Any:
        """Call the blocking code of a task in a thread."""
        self._blocking.add(tid)
        try:
            return await asyncio.to_thread(call)
        finally:
            self._blocking.discard(tid)
