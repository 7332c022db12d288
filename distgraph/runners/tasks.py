"""Run the tasks of a superstep on an event loop, blocking nodes in threads beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from typing import Any, Self

from distgraph.core.execute import run_task_async
from distgraph.core.frame import discard
from distgraph.core.model import Errored, Result, Task, ThreadState
from distgraph.effects import acarry
from distgraph.engine import Execute
from distgraph.errors import SerializationError
from distgraph.events import Custom, Event
from distgraph.runners.attempts import Around, OpenSuperstep, open_superstep, unstorable
from distgraph.runners.backend import Job
from distgraph.runners.stores import Asking, Keeping

PASSES = (KeyboardInterrupt,)


class Tasks:
    """Executes the supersteps of one job; ``state`` is the state after the last one."""

    def __init__(
        self, job: Job, perform: Callable[[Asking], Awaitable[Any]], keeping: Keeping
    ) -> None:
        self._job, self._perform, self._keeping = job, perform, keeping
        self._told: asyncio.Queue[Event | Task] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[Result]] = {}
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        most = job.max_concurrency
        self._slots: Any = asyncio.Semaphore(most) if most else nullcontext()
        self.state: ThreadState | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._cancel()

    async def execute(self, request: Execute) -> AsyncIterator[Event]:
        """Run the tasks and tell what happens; after a final failure the others are cancelled."""
        ns = self._job.place.ns
        around = Around(
            emit=(lambda chunk: self._tell(Custom(ns, chunk))) if self._job.live else discard,
            publish=self._tell if self._job.live else None,
            frames=self._keeping.frames,
            passes=PASSES,
        )
        superstep = open_superstep(self._job, request, around)
        self.state = superstep.state
        for task in request.tasks:
            self._begin(superstep, task)
        while self._running:
            told = await self._told.get()
            if not isinstance(told, Task):
                yield told
                continue
            async for event in self._keep(superstep, told):
                yield event

    def _tell(self, told: Event | Task) -> None:
        """Queue an event in order, from the loop or from a node's own thread."""
        if threading.get_ident() == self._thread:
            self._told.put_nowait(told)
        else:
            self._loop.call_soon_threadsafe(self._told.put_nowait, told)

    def _begin(self, superstep: OpenSuperstep, task: Task) -> None:
        attempts = _attempts(superstep, task, self._slots, lambda: task.id in self._running)
        running = self._loop.create_task(attempts)
        running.add_done_callback(lambda _: self._tell(task))
        self._running[task.id] = running

    async def _keep(self, superstep: OpenSuperstep, task: Task) -> AsyncIterator[Event]:
        done = self._running.pop(task.id, None)
        if done is None:
            return
        result = superstep.timed(task, await done)
        try:
            await acarry(self._keeping.store.result(superstep.state, task, result), self._perform)
        except SerializationError as error:
            result = unstorable(superstep, task, result, error)
        superstep.results[task.id] = result
        yield superstep.ended(task)
        if isinstance(result, Errored):
            await self._cancel()

    async def _cancel(self) -> None:
        cancelled = list(self._running.values())
        self._running.clear()
        for running in cancelled:
            running.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)


async def _attempts(
    superstep: OpenSuperstep, task: Task, slots: Any, is_wanted: Callable[[], bool]
) -> Result:
    """Try the task until it has a final result, or nobody wants one any more."""
    attempt, result = 1, None
    async with slots:
        while True:
            frame = superstep.frame(task, attempt)
            result = await run_task_async(
                superstep.graph, task, superstep.checkpoint.values, frame, asyncio.to_thread
            )
            if not is_wanted():  # a TaskGroup in the node may count as a cancellation too
                raise asyncio.CancelledError
            pause = superstep.delay(task, result, attempt)
            if pause is None:
                return result
            await asyncio.sleep(pause)
            attempt += 1
