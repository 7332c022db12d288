"""A frame of a thread as a job works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from checkpoint_redis.readings import Context, FrameHead, RunRecord
from checkpoint_redis.references import doubtful
from checkpoint_redis.stored import Archive
from distgraph._message import HEARD
from distgraph._runtime import RunControl
from distgraph.core.frame import Invocation
from distgraph.core.graph import Graph, Node
from distgraph.core.model import DRAINS, Checkpoint, Errored, Result, ThreadState
from distgraph.core.plan import digest
from distgraph.core.recall import Recall
from distgraph.core.retry import asked_around
from distgraph.engine import Program, advance
from distgraph.graph.held import graph_of
from distgraph.runners.remembering import Remembering

from ..shared.functions import Waypoint, calling, graph_at, steps_to
from ..shared.hints import label
from ..shared.innercall import Caller, InnerCall, decode_call
from ..shared.runconfig import RunConfig, decode_config
from ..shared.served import Served
from ..shared.shown import Shown, read_shown
from ..shared.wire import head_checkpoint
from .desk import Desk
from .earlier import Earlier
from .telling import Subject

FIRST = 0
"""The number of the frame of its calls among those of a task: graphs have none, 1, 2, ..."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A frame as a job has it: its run, what that was called with, its state without results.

    ``graph`` is the frame's own, inside of the thread's that is ``served``. Where it is not
    ``whole``, its checkpoint has no more than the values that its tasks read. With a ``caller`` its
    tasks are the functions that that one calls; ``callers`` are the nodes around them. ``drains``:
    who has called the run may ask it to stop.
    """

    desk: Desk
    served: Served
    graph: Graph
    head: FrameHead
    run: RunRecord
    config: RunConfig
    state: ThreadState
    whole: bool
    caller: Caller | None = None
    callers: tuple[Node, ...] = ()
    drains: bool = False
    ns: str = field(init=False)
    """The name of the frame."""
    shown: Shown = field(init=False)
    """What is streamed of the run."""

    def __post_init__(self) -> None:
        # Both are asked for at every turn of a job.
        given = {k: v for k, v in self.config.metadata.items() if not k.startswith("__")}
        shown = read_shown(self.run.modes, {**given, "thread_id": self.head.thread_id})
        object.__setattr__(self, "ns", self.head.frame.name if self.head.frame else "")
        object.__setattr__(self, "shown", shown)

    @property
    def task_ns(self) -> str:
        """The namespace of its tasks: calls of functions are in that of their caller."""
        return self.caller.ns if self.caller else self.ns

    @property
    def calls_functions(self) -> bool:
        """Whether what its tasks call are jobs of their own: those of workflows, and of calls."""
        return bool(self.graph.entry) or self.caller is not None

    @property
    def around(self) -> tuple[Node, ...]:
        """The nodes around the frame, the outermost first."""
        if self.caller is not None:
            return self.callers
        return tuple(step.node for step in self._way)

    @property
    def _way(self) -> tuple[Waypoint, ...]:
        """The nodes around the frame, each in its graph."""
        inner = self.head.frame
        return steps_to(self.served, inner.path.split("|")) if inner else ()

    @property
    def above(self) -> str:
        """What the job of the task around the frame is called, '' at the root."""
        if self.caller is not None:
            return label(self.graph.name, self.caller.task.node)
        way = self._way
        return label(way[-1].graph.name, way[-1].node.name) if way else ""

    @property
    def stop(self) -> int:
        """The last step that the frame may take."""
        return self.head.frame.stop if self.head.frame else self.run.stop

    def all_values(self) -> Mapping[str, Any]:
        """Read the values of the frame, of which a claim may have given a part."""
        archive = Archive(self.desk.thread.namespace, self.served.wire.serializer)
        _, found = self.desk.read_inner(archive, self.ns, self.head.cp)
        return found.checkpoint["channel_values"] if found else {}

    def subject(self, node: str = "", attempt: int = 0) -> Subject:
        """Return what the log says of an attempt at ``node``, or of the superstep."""
        return subject_of(self.desk, self.head, node, attempt)

    def failure(self, error: Errored) -> bytes:
        """Return the record of a final failure, with what the nodes around say of it.

        One that came out of a graph inside was asked about where it happened.
        """
        asked = error if error.around else asked_around(self.around, error)
        return self.served.wire.error(asked)

    def invocation(self, rnd: str) -> Invocation:
        """Return what a task is told whose answers are those of the round ``rnd``.

        A run that goes on with one from an older checkpoint goes on from what that has stored.
        """
        compiled = self._compiled
        told = self.config.invocation(self.head.thread_id, self.head.run, self.served.callbacks)
        return replace(
            told,
            round=digest(self.head.run, rnd)[:8],
            asks_again=self.run.kind in ("reask", "retry"),
            hears=self.shown.subgraphs and not HEARD.isdisjoint(self.shown.modes),
            store=_store_of(compiled),
            control=RunControl(),
            cache=_recall_of(compiled[0], self.served),
            replay=told.replay if self.run.kind == "start" else None,
        )

    @property
    def _compiled(self) -> tuple[Any, ...]:
        """The graphs around the tasks, the innermost first."""
        held = (graph_of(node) for node in reversed(self.around))
        inner = (each.compiled for each in held if each is not None)
        return (*inner, self.served.compiled)

    def program(self, results: Mapping[str, Result]) -> Program:
        """Return the engine's loop, from the state with ``results`` on."""
        at = self.state
        state = ThreadState(at.checkpoint, results, at.answers, at.caller_writes, at.released)
        run = "" if self.ns else self.head.run
        limits = replace(self.config.limits(self.stop, run), parents=at.checkpoint.parents)
        return advance(self.graph, state, limits, self.ns)


def _store_of(compiled: tuple[Any, ...]) -> Any:
    """Return the store of the innermost graph that has one."""
    stores = (getattr(graph, "store", None) for graph in compiled)
    return next((store for store in stores if store is not None), None)


def _recall_of(compiled: Any, served: Served) -> Recall | None:
    """Return what finds what tasks left before, where the graph around them has a cache."""
    cache = getattr(compiled, "cache", None)
    return Remembering(cache, served.wire.serializer) if cache is not None else None


def subject_of(desk: Desk, head: FrameHead, node: str = "", attempt: int = 0) -> Subject:
    """Return what the log says of an attempt at ``node``, or of the superstep."""
    thread = (head.thread_id, desk.thread.x)
    return Subject(head.graph, node, *thread, head.run, attempt, desk.job)


def open_frame(desk: Desk, context: Context) -> Opened:
    """Return the frame that a claim gave; what did not come with it is fetched."""
    served, inner = desk.served(context), context.head.frame
    checkpoint = _checkpoint(served, context, _channels(desk, context))
    config = decode_config(context.run.cfg, served.wire.serializer)
    graph, released, drains = served.graph, context.run.released, DRAINS in config.metadata
    if inner is not None:
        call = decode_call(inner.call, config, served.wire.serializer)
        if call.caller is not None:
            return _open_calls(desk, context, call, call.caller)
        graph, released = graph_at(served, inner.path.split("|"), context.head.fp), inner.released
        config, checkpoint = call.run, replace(checkpoint, parents=call.parents)
    state = ThreadState(
        checkpoint,
        caller_writes=served.wire.read_caller_writes(context.caller_writes),
        released=released,
    )
    whole = context.checkpoint is not None
    of = desk, served, graph, context.head, context.run, config
    return Opened(*of, state, whole=whole, drains=drains)


def _open_calls(desk: Desk, context: Context, call: InnerCall, caller: Caller) -> Opened:
    """Return the frame of the functions that a task calls: they see the checkpoint of that one."""
    served, head = desk.served(context), context.head
    path = head.frame.path.split("|") if head.frame else []
    callers, graph = calling(served, path, caller.depth, head.fp)
    archive = Archive(desk.thread.namespace, served.wire.serializer)
    values = Earlier(desk, archive, caller.ns, caller.cp)
    checkpoint = Checkpoint(
        caller.cp, None, caller.step, "loop", "", values, parents=dict(call.parents)
    )
    state = ThreadState(checkpoint)
    return Opened(
        desk,
        served,
        graph,
        head,
        context.run,
        call.run,
        state,
        whole=False,
        caller=caller,
        callers=callers,
    )


def _channels(desk: Desk, context: Context) -> dict[str, bytes | None]:
    """Return what came with the claim, what is known here, and what is fetched.

    A list that is put together from known segments is compared with what the head refers to: a
    fail-over may have lost them since.
    """
    channels = dict(context.channels)
    desk.know(channels)
    missing = [name for name, blob in channels.items() if blob is None]
    if not missing:
        return channels
    known = desk.known(missing)
    channels |= known | desk.fetched([name for name in missing if name not in known])
    if known:
        channels |= desk.fetched(doubtful(context.lists, known, channels))
    return channels


def _checkpoint(
    served: Served, context: Context, channels: Mapping[str, bytes | None]
) -> Checkpoint:
    if context.checkpoint is None:
        return head_checkpoint(context, served.wire.read_parts(channels))
    wire = served.wire
    return wire.read_checkpoint(wire.unpack(context.checkpoint), channels)
