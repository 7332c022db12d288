"""Run the tasks of a superstep blocking: one inline, several in a thread pool."""

from __future__ import annotations

import asyncio
import contextvars
import os
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Self

from distgraph.core.execute import run_task
from distgraph.core.model import Errored, Result, Task, ThreadState
from distgraph.engine import Execute
from distgraph.errors import SerializationError
from distgraph.events import Custom, Ended, Event
from distgraph.runners.attempts import Superstep, open_superstep, unstorable
from distgraph.runners.backend import Job
from distgraph.runners.stores import Calls, Store

PASSES = (KeyboardInterrupt, asyncio.CancelledError)


class Threads:
    """Executes the supersteps of one job; a context manager that ends the threads it started."""

    def __init__(self, job: Job, perform: Callable[[Calls], Any], store: Store) -> None:
        self._job, self._perform, self._store = job, perform, store
        self._pool: ThreadPoolExecutor | None = None
        self._told: SimpleQueue[Event | tuple[Task, Future[Result]]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def execute(self, request: Execute) -> Generator[Event, None, ThreadState]:
        """Run the tasks, tell what happens, return the state with the results of those that ran.

        After a final failure no task is started any more, and the running ones are awaited.
        """
        ns = self._job.place.ns
        superstep = open_superstep(
            self._job,
            request,
            emit=lambda chunk: self._told.put(Custom(ns, chunk)),
            publish=self._told.put if self._job.live else None,
            passes=PASSES,
        )
        if len(request.tasks) == 1 and not self._job.live:
            (task,) = request.tasks
            yield self._keep(superstep, task, _attempts(superstep, task))
        else:
            yield from self._parallel(superstep, request.tasks)
        return superstep.state

    def _parallel(
        self, superstep: Superstep, tasks: tuple[Task, ...]
    ) -> Generator[Event, None, None]:
        waiting = {task.id: self._submit(superstep, task) for task in tasks}
        while waiting:
            told = self._told.get()
            if not isinstance(told, tuple):
                yield told
                continue
            task, future = told
            del waiting[task.id]
            if future.cancelled():
                continue
            yield self._keep(superstep, task, future.result())
            if isinstance(superstep.results[task.id], Errored):
                for other in waiting.values():
                    other.cancel()

    def _submit(self, superstep: Superstep, task: Task) -> Future[Result]:
        context = contextvars.copy_context()
        future = self._threads().submit(context.run, _attempts, superstep, task)
        future.add_done_callback(lambda done: self._told.put((task, done)))
        return future

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            most = self._job.max_concurrency or min(32, (os.cpu_count() or 1) + 4)
            self._pool = ThreadPoolExecutor(most, thread_name_prefix="distgraph")
        return self._pool

    def _keep(self, superstep: Superstep, task: Task, result: Result) -> Ended:
        try:
            self._perform(self._store.result(superstep.state, task, result))
        except SerializationError as error:
            result = unstorable(superstep, task, error)
        superstep.results[task.id] = result
        return superstep.ended(task)


def _attempts(superstep: Superstep, task: Task) -> Result:
    """Try the task until it has a final result."""
    attempt, result = 1, None
    while True:
        frame = superstep.frame(task, attempt, result)
        result = run_task(superstep.graph, task, superstep.checkpoint.values, frame)
        pause = superstep.delay(task, result, attempt)
        if pause is None:
            return result
        time.sleep(pause)
        attempt += 1
