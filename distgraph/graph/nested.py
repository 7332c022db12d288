"""A graph called inside a node: it runs in this process, in the frame of the task around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import replace
from typing import Any, NamedTuple

from distgraph import _frame
from distgraph.core.frame import Asker, CallArguments, GraphCalls, TaskFrame, discard
from distgraph.core.graph import Graph
from distgraph.core.model import EXIT
from distgraph.effects import acarry, carry
from distgraph.engine import Brought, run_nested
from distgraph.events import Concluded, Custom, Event, Inside, Relayed
from distgraph.graph.held import note_call
from distgraph.graph.options import ONLY_CALLED, ONLY_INVOKED, Options
from distgraph.runners.backend import Backend, Job, Place
from distgraph.runners.frames import FoundFrame, FrameStore, GraphCall, lasting
from distgraph.runners.local import aperforming, drive, drive_async, performing, stored_when
from distgraph.runners.stores import Keeping, Store
from distgraph.runners.watched import GraphRun


def surrounding(config: Mapping[str, Any]) -> TaskFrame | None:
    """Return the task inside of which a graph is called, unless it has a thread of its own."""
    frame = _frame.running()
    if not isinstance(frame, TaskFrame):
        return None
    thread = config.get("configurable", {}).get("thread_id")
    own = thread is not None and str(thread) != str(frame.invocation.thread_id)
    return None if own else frame


class LeavingCall(NamedTuple):
    """A call of a graph, inside of the task ``frame``, that others may carry."""

    frame: TaskFrame
    graphs: GraphCalls
    called: Any
    given: CallArguments

    def begin(self) -> Any | None:
        """Begin it; return a future of what the graph returns, None where it is to run here."""
        return self.graphs.begin_graph(self.frame, self.called, self.given)

    async def abegin(self) -> Any | None:
        """Do what ``begin`` does."""
        return await self.graphs.abegin_graph(self.frame, self.called, self.given)


def leaving(
    called: Any, given: tuple[Any, dict[str, Any]], more: Mapping[str, Any], options: Options
) -> LeavingCall | None:
    """Return a call that others may carry, of a graph with an input and a config, and ``more``.

    None where nobody else is there. ValueError for one in no task of the thread, and for one that
    is to return chunks.
    """
    frame = surrounding(given[1])
    if frame is None:
        msg = (
            "invoke(distributed=True) is a call in a node, on the node's thread. To have workers "
            "run a graph outside of one, or on a thread of its own, use submit(), or invoke() "
            "without distributed=."
        )
        raise ValueError(msg)
    if options.stream_mode != "values":
        msg = (
            "invoke(distributed=True) returns the state: stream_mode must be 'values', not "
            f"{options.stream_mode!r}. Show what happens inside by stream(subgraphs=True) of the "
            "graph around."
        )
        raise ValueError(msg)
    if frame.graphs is None:
        return None
    here = (*ONLY_CALLED, *ONLY_INVOKED)
    by_name = {name: value for name, value in more.items() if name not in here}
    return LeavingCall(frame, frame.graphs, called, (given, by_name))


class Inner:
    """Where a call stands: on its own (``frame`` is None), or inside a task."""

    def __init__(self, frame: TaskFrame | None, checkpointer: Any, graph: Graph) -> None:
        self.frame = frame
        self._frames = frame.frames if frame and checkpointer is not False else None
        self._call = _call_of(frame, checkpointer, graph) if frame else None

    @property
    def place(self) -> Place | None:
        """The frame of a call inside a task, as far as it is known before it is looked for."""
        return Place(self._call.thread_id, self._call.base) if self._call else None

    @property
    def parents(self) -> Mapping[str, str]:
        """The checkpoints of the frames around."""
        return self.frame.parents if self.frame else {}

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the checkpoints of a call inside a task say of it."""
        return self._call.metadata if self._call else {}

    @property
    def durable(self) -> bool:
        """Whether a nested graph is stored, so that it may pause."""
        return self._frames is not None

    @property
    def asker(self) -> Asker | None:
        """Who asks what a nested graph asks that is not stored."""
        return None if self.frame is None or self.durable else self.frame.asker

    @property
    def live(self) -> bool:
        """Whether somebody listens to what happens in nested graphs, or to their own chunks."""
        if self.frame is None:
            return False
        return self.frame.publish is not None or self.frame.emit is not discard

    def events(self, backend: Backend, job: Job) -> Generator[Event, None, None]:
        """Carry ``job`` where it belongs, passing on what happens to the graphs around.

        Others that carry it are sent no callbacks.
        """
        run, call = GraphRun(job, alone=self.frame is None), self._call
        if call is not None:
            return run.told(self._inside(run.job, call))
        return run.told(backend.events(job if hasattr(backend, "submit") else run.job))

    def aevents(self, backend: Backend, job: Job) -> AsyncGenerator[Event, None]:
        """Carry ``job`` as ``events`` does."""
        run, call = GraphRun(job, alone=self.frame is None), self._call
        if call is not None:
            return run.atold(self._ainside(run.job, call))
        return run.atold(backend.aevents(job if hasattr(backend, "submit") else run.job))

    def _inside(self, job: Job, call: GraphCall) -> Generator[Event, None, None]:
        keeping = Keeping()
        if self._frames is not None:
            saver = self._frames.for_graph(job.graph)
            found = carry(call.find(), performing(saver))
            job = _placed(job, call, found)
            keeping = Keeping(self._store(job, call, found), saver, self._frames)
        with closing(drive(job, keeping)) as events:
            for event in events:
                self._pass_on(job, event)
                yield event

    async def _ainside(self, job: Job, call: GraphCall) -> AsyncGenerator[Event, None]:
        keeping = Keeping()
        if self._frames is not None:
            saver = self._frames.for_graph(job.graph)
            found = await acarry(call.find(), aperforming(saver))
            job = _placed(job, call, found)
            keeping = Keeping(self._store(job, call, found), saver, self._frames)
        async with aclosing(drive_async(job, keeping)) as events:
            async for event in events:
                self._pass_on(job, event)
                yield event

    def _store(self, job: Job, call: GraphCall, found: FoundFrame) -> Store:
        return stored_when(
            job,
            FrameStore(call, found),
            temporary=call.base == call.frame.own_ns,
            dispatched=_is_dispatched(call, job.graph, found),
        )

    def _pass_on(self, job: Job, event: Event) -> None:
        if self.frame is None:
            return
        self.frame.progressed()
        if isinstance(event, Concluded | Relayed):
            return
        inside = event if isinstance(event, Inside) else Inside(job.graph, event, kept=self.durable)
        if self.frame.publish is not None:
            self.frame.publish(inside)
        elif isinstance(inside.event, Custom):
            self.frame.emit(inside.event.chunk)


def _call_of(frame: TaskFrame, checkpointer: Any, graph: Graph) -> GraphCall:
    """Return the call, counted in the order in which the task makes its calls."""
    note_call(frame, graph, checkpointer)
    number, frame.calls = frame.calls, frame.calls + 1
    base = lasting(frame.own_ns) if checkpointer is True else frame.own_ns
    return GraphCall(frame, base, graph, number)


def _placed(job: Job, call: GraphCall, found: FoundFrame) -> Job:
    """Return ``job`` in the frame that was found for it."""
    start, ns, frames = replace(job.start, at=found.at), found.place.ns, call.frame.frames
    if job.invocation.durability == "exit" and _is_dispatched(call, job.graph, found):
        start = replace(start, metadata={**start.metadata, EXIT: ""})
    risen = frames.risen(ns) if frames else None
    answers, around = call.frame.answers, call.frame.invocation
    renews = found.at and answers and around.replay is not None and around.replay.answers
    anew = answers[-1] if renews else None
    brought = Brought(answers, around.asks_again, risen, anew)
    program = run_nested(job.graph, start, ns, brought)
    return replace(job, start=start, place=found.place, program=program)


def _is_dispatched(call: GraphCall, graph: Graph, found: FoundFrame) -> bool:
    """Whether others run the tasks of the graph."""
    frames = call.frame.frames
    return frames is not None and frames.dispatches(call.frame, graph, found.place.ns)
