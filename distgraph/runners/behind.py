"""What a run stores behind itself (``durability="async"``): a checkpoint, while its tasks run.

One at a time, and before anything else is stored; what a saver raises comes out at the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from distgraph.core.model import Outcome, Result, RunTasks, Task, ThreadState
from distgraph.effects import carry
from distgraph.engine import Execute, GoOn, Save, SaveUpdate
from distgraph.runners.backend import Job
from distgraph.runners.stores import Asking, Begin, Calls, Saving, Store, WaitFor


class Behind:
    """Stores a new checkpoint in ``store`` beside the superstep that runs from it.

    What is told of it is told when it is handed over. A checkpoint without tasks, and whatever else
    there is to be stored, is stored at once, as soon as what was begun is done.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begun: Any = None
        self._failed: BaseException | None = None

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return the frame's state."""
        return self._store.load()

    def save(self, request: Save) -> Generator[Asking, Any, Save | None]:
        """Begin to store new checkpoints; all of them is told."""
        yield from self._done()
        if not isinstance(request.then, RunTasks):
            return (yield from self._store.save(request))
        self._begun = yield Begin(self._store.save(request))
        return None

    def go_on(self, request: GoOn) -> Calls:
        """Store that the open superstep goes on."""
        yield from self._done()
        yield from self._store.go_on(request)

    def leave(self, job: Job, request: Execute) -> Calls | None:
        """Leave the tasks of a superstep to others."""
        return self._store.leave(job, request)

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Store one task's result, unless its checkpoint could not be: the next step tells that."""
        yield from self._settled()
        if self._failed is None:
            yield from self._store.result(state, task, result)

    def update(self, request: SaveUpdate) -> Calls:
        """Store a checkpoint that a caller made."""
        yield from self._done()
        yield from self._store.update(request)

    def end(self, outcome: Outcome | None) -> Calls:
        """Wait for what was begun."""
        yield from self._done()
        yield from self._store.end(outcome)

    def _done(self) -> Calls:
        """Wait for what was begun; raise what the saver raised, once."""
        yield from self._settled()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _settled(self) -> Calls:
        if (begun := self._begun) is not None:
            failed = yield WaitFor(begun)
            if self._begun is begun:
                self._begun, self._failed = None, failed


def begin(saving: Saving, perform: Callable[[Asking], Any]) -> Future[Any]:
    """Begin calls of a saver in a thread, in a copy of the context."""
    thread = ThreadPoolExecutor(1, "distgraph-store")
    try:
        return thread.submit(copy_context().run, carry, saving, perform)
    finally:
        thread.shutdown(wait=False)
