"""A graph called inside a node: it runs in this process, in the frame of the task around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from distgraph import _frame
from distgraph.core.frame import TaskFrame, discard
from distgraph.events import Custom, Ended, Event, Inside, Resumed, Started, Stepped
from distgraph.runners.backend import Backend, Job, Place
from distgraph.runners.local import drive, drive_async
from distgraph.runners.stores import FrameStore


def surrounding(config: Mapping[str, Any]) -> TaskFrame | None:
    """Return the task inside of which a graph is called, unless it has a thread of its own."""
    frame = _frame.running()
    if not isinstance(frame, TaskFrame):
        return None
    thread = config.get("configurable", {}).get("thread_id")
    own = thread is not None and str(thread) != str(frame.invocation.thread_id)
    return None if own else frame


class Inner:
    """Where a call stands: on its own (``frame`` is None), or inside a task."""

    def __init__(self, frame: TaskFrame | None, checkpointer: Any) -> None:
        self.frame = frame
        self._persists = checkpointer is not False
        self._ns = frame.child_ns() if frame else ""

    @property
    def place(self) -> Place | None:
        """The frame that a nested call is stored under."""
        if self.frame is None:
            return None
        return Place(str(self.frame.invocation.thread_id or ""), self._ns)

    @property
    def parents(self) -> Mapping[str, str]:
        """The checkpoints of the frames around."""
        return self.frame.parents if self.frame else {}

    @property
    def durable(self) -> bool:
        """Whether a nested graph may pause."""
        return self._persists and self.frame is not None and self.frame.invocation.durable

    @property
    def live(self) -> bool:
        """Whether somebody listens to what happens in nested graphs, or to their own chunks."""
        if self.frame is None:
            return False
        return self.frame.publish is not None or self.frame.emit is not discard

    def events(self, backend: Backend, job: Job) -> Iterator[Event]:
        """Carry ``job`` where it belongs, passing on what happens to the graphs around."""
        if self.frame is None:
            yield from backend.events(job)
            return
        for event in drive(job, FrameStore(self.frame, job.place.ns), None):
            self._pass_on(job, event)
            yield event

    async def aevents(self, backend: Backend, job: Job) -> AsyncIterator[Event]:
        """Carry ``job`` as ``events`` does."""
        if self.frame is None:
            async for event in backend.aevents(job):
                yield event
            return
        async for event in drive_async(job, FrameStore(self.frame, job.place.ns), None):
            self._pass_on(job, event)
            yield event

    def _pass_on(self, job: Job, event: Event) -> None:
        if self.frame is None:
            return
        match event:
            case Custom(chunk=chunk):
                self.frame.emit(chunk)
            case Inside() if self.frame.publish is not None:
                self.frame.publish(event)
            case Resumed() | Stepped() | Started() | Ended() if self.frame.publish is not None:
                self.frame.publish(Inside(job.graph, event))
