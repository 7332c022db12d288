"""A thread's frame as a job works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from checkpoint_redis.references import doubtful
from checkpoint_redis.replies import Context, FrameHead, RunRecord
from distgraph.core.frame import Invocation
from distgraph.core.graph import Graph
from distgraph.core.model import Checkpoint, Result, ThreadState
from distgraph.core.plan import digest
from distgraph.engine import Program, advance

from ..shared.runconfig import RunConfig, decode_config
from ..shared.served import Served
from ..shared.wire import head_checkpoint
from .desk import Desk
from .telling import Subject


@dataclass(frozen=True, slots=True)
class Opened:
    """A frame as a job has it: its run, what that was called with, its state without results.

    Where it is not ``whole``, its checkpoint has no more than the values that its tasks read.
    """

    desk: Desk
    served: Served
    head: FrameHead
    run: RunRecord
    config: RunConfig
    state: ThreadState
    whole: bool

    @property
    def graph(self) -> Graph:
        """The graph of the thread."""
        return self.served.graph

    def subject(self, node: str = "", attempt: int = 0) -> Subject:
        """Return what the log says of an attempt at ``node``, or of the superstep."""
        return subject_of(self.desk, self.head, node, attempt)

    def invocation(self, rnd: str) -> Invocation:
        """Return what a task is told whose answers are those of the round ``rnd``.

        A run that goes on with one from an older checkpoint goes on from what that has stored.
        """
        named = digest(self.head.run, rnd)[:8]
        again = self.run.kind in ("reask", "retry")
        told = self.config.invocation(self.head.thread_id, self.head.run)
        told = replace(told, round=named, asks_again=again)
        return told if self.run.kind == "start" else replace(told, replay=None)

    def program(self, results: Mapping[str, Result]) -> Program:
        """Return the engine's loop, from the state with ``results`` on."""
        at = self.state
        state = ThreadState(at.checkpoint, results, at.answers, at.caller_writes, at.released)
        return advance(self.graph, state, self.config.limits(self.run.stop))


def subject_of(desk: Desk, head: FrameHead, node: str = "", attempt: int = 0) -> Subject:
    """Return what the log says of an attempt at ``node``, or of the superstep."""
    thread = (head.thread_id, desk.thread.x)
    return Subject(head.graph, node, *thread, head.run, attempt, desk.job)


def open_frame(desk: Desk, context: Context) -> Opened:
    """Return the frame that a claim gave; what did not come with it is fetched."""
    served = desk.served(context)
    channels = _channels(desk, context)
    state = ThreadState(
        _checkpoint(served, context, channels),
        caller_writes=served.wire.read_caller_writes(context.caller_writes),
        released=context.run.released,
    )
    config = decode_config(context.run.cfg, served.wire.serializer)
    whole = context.checkpoint is not None
    return Opened(desk, served, context.head, context.run, config, state, whole=whole)


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
