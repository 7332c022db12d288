"""The functions that a task calls run in its job; what they return is kept under its fence.

It is kept as records of a frame of its own, so that another attempt is given it: also where this
one was killed, or waits for an answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from distgraph.checkpoint.base.id import next_id
from distgraph.core.execute import Offload, run_task, run_task_async
from distgraph.core.frame import TaskFrame
from distgraph.core.model import (
    CALLER,
    NAME,
    Checkpoint,
    Completed,
    Finished,
    Interrupted,
    Result,
    Task,
    ThreadState,
)
from distgraph.effects import carry
from distgraph.engine import Save
from distgraph.runners.backend import Place
from distgraph.runners.local import aperforming, performing
from distgraph.runners.looped import LoopedFunctions
from distgraph.runners.stores import Asking, SaverCall, SaverStore
from distgraph.runners.threaded import WIDTH, ThreadedFunctions

from .attempt import Attempt
from .failures import told_to_end

FIRST = 0
"""The number of the frame among those of its task: graphs that it calls have none, 1, 2, ..."""


def run_attempt(attempt: Attempt) -> Result:
    """Run a node that blocks, and the functions that it calls."""
    kept = KeptCalls(attempt.frame)
    functions = ThreadedFunctions(KeptByCalls(), performing(kept), WIDTH)
    attempt.frame.functions = functions
    try:
        result = run_task(attempt.graph, attempt.task, attempt.values, attempt.frame)
        if told_to_end(result) is None:
            functions.rest()
        return result
    finally:
        functions.close()


async def arun_attempt(attempt: Attempt, offload: Offload) -> Result:
    """Run a node on the loop, and the functions that it calls."""
    kept = KeptCalls(attempt.frame)
    functions = LoopedFunctions(KeptByCalls(), aperforming(kept))
    attempt.frame.functions = functions
    try:
        result = await run_task_async(
            attempt.graph, attempt.task, attempt.values, attempt.frame, offload
        )
        if isinstance(result, Completed | Interrupted):
            await functions.rest()
        return result
    finally:
        await functions.close()


class KeptByCalls:
    """Asks for what is kept, as a runner's keeper."""

    def find(self, task: Task) -> Generator[Asking, Any, Result | None]:
        """Return what is kept of a call."""
        found: Result | None = yield SaverCall("find", (task,))
        return found

    def keep(self, task: Task, result: Result) -> Generator[Asking, Any, None]:
        """Keep what a call has returned."""
        yield SaverCall("keep", (task, result))


@dataclass(slots=True)
class KeptCalls:
    """What is kept of the calls that one attempt makes; read with the first of them."""

    frame: TaskFrame
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _state: ThreadState | None = None
    _saver: Any = None

    def find(self, task: Task) -> Result | None:
        """Return what another attempt has kept of a call."""
        return self._opened().results.get(task.id)

    def keep(self, task: Task, result: Result) -> None:
        """Keep what a call has returned; GivenUp where the attempt was."""
        carry(self._store.result(self._opened(), task, result), performing(self._saver))

    async def afind(self, task: Task) -> Result | None:
        """Do what ``find`` does."""
        return await asyncio.to_thread(self.find, task)

    async def akeep(self, task: Task, result: Result) -> None:
        """Do what ``keep`` does."""
        await asyncio.to_thread(self.keep, task, result)

    @property
    def _store(self) -> SaverStore:
        frame = self.frame
        return SaverStore(Place(str(frame.invocation.thread_id), f"{frame.own_ns}|{FIRST}"))

    def _opened(self) -> ThreadState:
        """Return what stands in the frame; where it is not that of this superstep, it is new."""
        with self._lock:
            if self._state is None:
                self._state = self._open()
            return self._state

    def _open(self) -> ThreadState:
        frame = self.frame
        assert frame.frames is not None
        assert frame.graph is not None
        self._saver = frame.frames.for_graph(frame.graph)
        perform = performing(self._saver)
        found = carry(self._store.load(), perform)
        if found is not None and found.checkpoint.parents == frame.parents:
            return found
        checkpoint = _begun(frame, found)
        state = ThreadState(checkpoint)
        carry(self._store.save(Save((checkpoint,), state, Finished())), perform)
        return state


def _begun(frame: TaskFrame, before: ThreadState | None) -> Checkpoint:
    """Return the checkpoint that says of which superstep the calls are."""
    around = frame.checkpoint
    last = before.checkpoint if before else None
    return Checkpoint(
        id=next_id(max(around.id, last.id if last else "")),
        parent_id=last.id if last else None,
        step=around.step,
        source="loop",
        ts=datetime.now(UTC).isoformat(),
        metadata={NAME: frame.task.node, CALLER: frame.own_ns},
        parents=frame.parents,
    )
