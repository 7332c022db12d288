"""What is stored where a task waits for the graph that its node is, or for what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from checkpoint_redis.layout import TaskState
from checkpoint_redis.records import AgainEntry, CallsEntry, InnerEntry, ParkEntry, SuperstepEntry
from distgraph.core.model import Task
from distgraph.core.packets import Packet

from ..shared.innercall import encode_call
from ..shared.runconfig import RunConfig
from ..shared.supersteps import nonce
from ..shared.wire import Wire
from .called import CalledFrame, Wish
from .calls import CallsWish

GOING_ON = {TaskState.queued, TaskState.running, TaskState.backing_off}
"""Of tasks that somebody runs. Others that are to run have failed, were answered, stopped, or left
with a command that nobody took; what is open inside of a parked one may have ended with its run."""


def to_park(wire: Wire, wish: Wish | CallsWish, around: RunConfig) -> ParkEntry:
    """Return what is stored for tasks that are left to others, inside of what ``around`` tells of.

    The frame's open superstep goes on where it is the same still; otherwise a new one is opened.
    SerializationError for what of it cannot be stored.
    """
    if isinstance(wish, CallsWish):
        inner, calls = InnerEntry(wish.frame, wish.seen, ""), CallsEntry(nonce(), wish.begin)
        return ParkEntry(inner, None, wish.again, call=wish.call, calls=calls)
    goes_on = _goes_on(wish)
    return ParkEntry(
        inner=wish.frame.entry,
        step=None if goes_on else _step(wire, wish),
        again=tuple(_again(wire, wish)) if goes_on else (),
        stop=wish.request.stop,
        released=wish.request.state.released,
        call=encode_call(wish.job, wire.serializer, around),
    )


def _goes_on(wish: Wish) -> bool:
    frame, request = wish.frame, wish.request
    known = {task.tid for task in frame.opened}
    here = frame.head == request.state.checkpoint.id and not frame.checkpoints
    return here and all(task.id in known for task in request.tasks)


def _again(wire: Wire, wish: Wish) -> Iterator[AgainEntry]:
    """Yield the tasks that run again; the rest is done, or is queued or runs still."""
    opened = {task.tid: task for task in wish.frame.opened}
    for task in wish.request.tasks:
        before = opened[task.id]
        given = wish.request.state.answers.get(task.id, ())[len(before.answers) :]
        if given or before.st not in GOING_ON:
            yield AgainEntry(task.id, tuple(map(wire.answer, given)))


def _step(wire: Wire, wish: Wish) -> SuperstepEntry:
    graph = wish.job.graph
    name, placed = wish.frame.name.name, _placed(wish.frame, wish.request.tasks)
    given = wish.request.state.answers
    tasks = tuple(
        wire.answered(wire.task(task, graph.nodes[task.node], graph.name, name), given)
        for task in placed
    )
    return SuperstepEntry(nonce(), (), tasks, "go")


def _placed(frame: CalledFrame, tasks: Sequence[Task]) -> Iterator[Task]:
    """Yield tasks with packets in place of the Sends that are stored with their checkpoint."""
    bundles = frame.checkpoints[-1].packets if frame.checkpoints else ()
    for task in tasks:
        if task.send is None or not bundles:
            yield task
        else:
            yield replace(task, send=Packet(task.node, bundles[0].name, task.index))
