"""Run the tasks of a superstep blocking: one inline, several in a thread pool."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Self

from distgraph.core.beside import TIMED_OUT
from distgraph.core.execute import run_task
from distgraph.core.frame import discard
from distgraph.core.model import Result, Task, ThreadState
from distgraph.effects import carry
from distgraph.engine import Execute
from distgraph.errors import SerializationError
from distgraph.events import Custom, Ended, Event, FunctionCalled, Spoke
from distgraph.runners.attempts import (
    Around,
    OpenSuperstep,
    is_stopped,
    open_superstep,
    unstorable,
)
from distgraph.runners.backend import Job
from distgraph.runners.functions import StoreKeeper
from distgraph.runners.stores import Asking, Keeping
from distgraph.runners.threaded import WIDTH, ThreadedFunctions

PASSES = (KeyboardInterrupt,)


@dataclass(frozen=True, slots=True)
class _Over:
    """A task that a thread has run, and how many it dropped because that one failed.

    ``rests``: its thread waits for functions that it has called, and tells when they are over.
    """

    task: Task
    left: Result | BaseException
    dropped: int
    rests: bool


class _Rested:
    """Functions that a task has called are over."""


class _TimeIsOver(Exception):
    """A superstep takes too long."""


class Threads:
    """Executes the supersteps of one job; a context manager that ends the threads it started."""

    _leaving: threading.Event  # there with the pool
    _around: Around  # there with the calls

    def __init__(self, job: Job, perform: Callable[[Asking], Any], keeping: Keeping) -> None:
        self._job, self._perform, self._keeping = job, perform, keeping
        self._width = job.max_concurrency or WIDTH
        self._pool: ThreadPoolExecutor | None = None
        self._told: SimpleQueue[Event | _Over | _Rested] = SimpleQueue()
        self._own: set[int] = set()
        self._calls: ThreadedFunctions | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def execute(self, request: Execute) -> Generator[Event, None, ThreadState]:
        """Run the tasks, tell what happens, return the state with the results of those that ran.

        After a final failure no task is started any more, and the running ones are awaited.
        """
        functions = self._functions(request.state)
        superstep = open_superstep(self._job, request, self._around)
        try:
            if len(request.tasks) == 1 and self._waits_alone:
                yield from self._alone(superstep, request.tasks[0], functions)
            else:
                yield from self._parallel(superstep, request.tasks, functions)
        finally:
            functions.close()
        return superstep.state

    @property
    def _waits_alone(self) -> bool:
        """Whether nobody is to be told of a task, or to leave it, while it runs."""
        return not self._job.live and self._job.step_timeout is None

    def _functions(self, state: ThreadState) -> ThreadedFunctions:
        """Return what makes the calls of functions; they are told where somebody listens.

        It is that of the superstep before where nothing was called in that.
        """
        keeper = StoreKeeper(self._keeping.store, state)
        if self._calls is None or not self._calls.is_unused:
            tell = self._tell if self._job.live or self._job.modes else None
            self._calls = ThreadedFunctions(keeper, self._perform, self._width, tell)
            self._around = self._around_with(self._calls)
        self._calls.keeper = keeper
        return self._calls

    def _around_with(self, functions: ThreadedFunctions) -> Around:
        ns, live = self._job.place.ns, self._job.live
        return Around(
            emit=(lambda chunk: self._told.put(Custom(ns, chunk))) if live else discard,
            publish=self._told.put if live else None,
            frames=self._keeping.frames,
            passes=PASSES,
            functions=functions,
            speak=self._speak if self._job.invocation.hears else None,
        )

    def _speak(self, message: Any, about: Mapping[str, Any], whole: bool) -> None:
        self._told.put(Spoke(self._job.place.ns, message, about, whole))

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self._told.put(event)

    def _alone(
        self, superstep: OpenSuperstep, task: Task, functions: ThreadedFunctions
    ) -> Generator[Event, None, None]:
        """Run the only task of a superstep in this thread."""
        left = _attempts(superstep, task, time.sleep)
        yield from self._heard()
        yield from self._keep(superstep, task, left)
        functions.rest()
        if not superstep.ends_run(task):
            yield from self._heard()

    def _heard(self) -> Generator[Event, None, None]:
        """Tell what was told while nobody listened."""
        while not self._told.empty():
            told = self._told.get()
            if not isinstance(told, _Over | _Rested):
                yield told

    def _parallel(
        self, superstep: OpenSuperstep, tasks: tuple[Task, ...], functions: ThreadedFunctions
    ) -> Generator[Event, None, None]:
        todo, context = deque(tasks), contextvars.copy_context()
        work = partial(self._work, superstep, todo, context, functions)
        for _ in range(min(self._width, len(tasks))):
            self._threads().submit(work)
        try:
            yield from self._gather(superstep, todo, len(tasks), work)
        finally:
            todo.clear()

    def _work(
        self,
        superstep: OpenSuperstep,
        todo: deque[Task],
        context: contextvars.Context,
        functions: ThreadedFunctions,
    ) -> None:
        """Run tasks in a thread of the pool until none is left to be started."""
        while todo:
            with suppress(IndexError):  # another thread took the last one
                task = todo.popleft()
                left = _run(partial(_attempts, superstep, task, self._leaving.wait), context.copy())
                dropped = _emptied(todo) if superstep.is_failure(task, left) else 0
                rests = not functions.is_resting
                self._told.put(_Over(task, left, dropped, rests))
                if rests:
                    functions.rest()
                    self._told.put(_Rested())

    def _gather(
        self,
        superstep: OpenSuperstep,
        todo: deque[Task],
        running: int,
        work: Callable[[], None],
    ) -> Generator[Event, None, None]:
        """Tell what the threads tell until no task runs and none is to be started.

        After a failure nothing is told any more of functions that tasks have called.
        """
        failed, until = False, self._until()
        try:
            while running:
                told = self._next(until)
                if isinstance(told, _Rested):
                    running -= 1
                    continue
                if not isinstance(told, _Over):
                    if not (failed and isinstance(told, FunctionCalled | Ended)):
                        yield told
                    continue
                running -= told.dropped + (not told.rests)
                yield from self._ended(superstep, told)
                if superstep.ends_run(told.task):
                    failed = True
                    running -= _emptied(todo)
                elif not failed and (handler := superstep.handler_of(told.task)):
                    todo.append(handler)
                    running += 1
                    self._threads().submit(work)
        except GeneratorExit:
            self._leave(superstep, running - _emptied(todo))
            raise
        except _TimeIsOver:
            self._leave(superstep, running - _emptied(todo))
            raise TimeoutError(TIMED_OUT) from None

    def _until(self) -> float | None:
        """Return when the superstep that begins is to be over, in the time of ``monotonic``."""
        limit = self._job.step_timeout
        return None if limit is None else time.monotonic() + limit

    def _next(self, until: float | None) -> Event | _Over | _Rested:
        """Return what is told next; _TimeIsOver where nothing is before the time is over."""
        try:
            return self._told.get(timeout=until and max(0.0, until - time.monotonic()))
        except Empty:
            raise _TimeIsOver from None

    def _leave(self, superstep: OpenSuperstep, running: int) -> None:
        """Keep what the running tasks leave, whose caller has left: nothing can stop them."""
        self._leaving.set()
        if threading.get_ident() in self._own:
            return  # the garbage collector closes this, in a thread that is waited for
        while running:
            told = self._told.get()
            if isinstance(told, _Rested):
                running -= 1
            elif isinstance(told, _Over):
                running -= told.dropped + (not told.rests)
                self._ended(superstep, told)

    def _ended(self, superstep: OpenSuperstep, over: _Over) -> tuple[Ended, ...]:
        if isinstance(over.left, BaseException):
            raise over.left
        return self._keep(superstep, over.task, over.left)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._leaving = threading.Event()
            self._pool = ThreadPoolExecutor(
                self._width, "distgraph", lambda: self._own.add(threading.get_ident())
            )
        return self._pool

    def _keep(self, superstep: OpenSuperstep, task: Task, result: Result) -> tuple[Ended, ...]:
        """Keep what a task has left; return what there is to tell of it."""
        if is_stopped(result):
            superstep.results[task.id] = result
            return ()
        result = superstep.timed(task, result)
        try:
            carry(self._keeping.store.result(superstep.state, task, result), self._perform)
        except SerializationError as error:
            result = unstorable(superstep, task, result, error)
        superstep.results[task.id] = result
        return (superstep.ended(task),)


def _run(attempts: Callable[[], Result], context: contextvars.Context) -> Result | BaseException:
    try:
        return context.run(attempts)
    except BaseException as exc:  # noqa: BLE001 it belongs to the caller of the run
        return exc


def _emptied(todo: deque[Task]) -> int:
    """Take back the tasks that no thread has started; return how many."""
    taken = 0
    with suppress(IndexError):
        while True:
            todo.popleft()
            taken += 1
    return taken


def _attempts(superstep: OpenSuperstep, task: Task, wait: Callable[[float], object]) -> Result:
    """Try the task until it has a final result, or ``wait``, a pause, says that the caller left."""
    attempt, result = 1, None
    while True:
        frame = superstep.frame(task, attempt)
        result = run_task(superstep.graph, task, superstep.checkpoint.values, frame)
        pause = superstep.delay(task, result, attempt)
        if pause is None or wait(pause) is True:
            return result
        attempt += 1
