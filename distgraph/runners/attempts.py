"""What both local drivers need to run a task: its frame, and what its result becomes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distgraph.checkpoint.digests import digest_of
from distgraph.core.beside import AttemptLimit
from distgraph.core.deadlines import timed
from distgraph.core.execute import read_error
from distgraph.core.failures import exception_of
from distgraph.core.frame import Frames, Functions, TaskFrame
from distgraph.core.graph import Graph, Node
from distgraph.core.handlers import handling, node_of
from distgraph.core.model import Checkpoint, Errored, Failed, Result, Task, ThreadState
from distgraph.core.plan import with_caller_writes
from distgraph.core.recorded import errored
from distgraph.core.retry import retry_delay
from distgraph.engine import Execute
from distgraph.errors import GraphDrained, InvalidUpdateError, NodeError, SerializationError
from distgraph.events import Ended
from distgraph.runners.backend import Job
from distgraph.runners.lanes import TaskLanes
from distgraph.runners.watched import Speak, watch
from distgraph.types import Send, TimeoutPolicy


@dataclass(frozen=True, slots=True)
class Around:
    """What the tasks of a job find around them: who listens, what keeps called graphs.

    ``functions`` makes their calls of functions, ``speak`` takes the messages of models.

    ``passes`` are the exception types that must leave a task unchanged.
    """

    emit: Callable[[Any], None]
    publish: Callable[[Any], None] | None
    frames: Frames | None
    passes: tuple[type[BaseException], ...]
    functions: Functions
    speak: Speak | None = None


@dataclass(frozen=True, slots=True)
class OpenSuperstep:
    """The open superstep of a job: the state that its tasks see, and how their frames are made.

    ``results`` are those of ``state``, filled in as tasks end: a copy for each would be quadratic
    in the width. Only the driver writes them. ``stop``: the last step that may be
    taken. ``began``: when the first attempt at a task did.
    """

    job: Job
    state: ThreadState
    results: dict[str, Result]
    checkpoint: Checkpoint
    around: Around
    stop: int = 0
    began: dict[str, float] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The graph whose superstep this is."""
        return self.job.graph

    def frame(self, task: Task, attempt: int) -> TaskFrame:
        """Return the frame for an attempt."""
        limit = limit_of(node_of(self.graph, task), task)
        emit, publish = self.around.emit, self.around.publish
        if limit is not None:
            emit = limit.noting(emit)
            publish = limit.noting(publish) if publish else None
        return TaskFrame(
            task=task,
            checkpoint=self.checkpoint,
            ns=self.job.place.ns,
            token=self.checkpoint.id,
            invocation=self.job.invocation,
            emit=emit,
            publish=publish,
            limit=limit,
            attempt=attempt,
            began=self.began.setdefault(task.id, time.time()),
            answers=self.state.answers.get(task.id, ()),
            frames=self.around.frames,
            passes=self.around.passes,
            graph=self.graph,
            stop=self.stop,
            lanes=TaskLanes(),
            digest=digest_of,
            functions=self.around.functions,
            handled=self._handled(task),
            watch=watch(heard_by(limit, self.around.speak)),
            speak=self.around.speak,
        )

    def _handled(self, task: Task) -> NodeError | None:
        left = self.results[task.handles.id] if task.handles else None
        if not isinstance(left, Errored):
            return None
        return NodeError(task.origin.node, exception_of(left))

    def handler_of(self, task: Task) -> Task | None:
        """Return the task that takes the place of one that has failed, if any does."""
        left = self.results[task.id]
        handler = node_of(self.graph, task).handler
        if handler is None or is_stopped(left) or not isinstance(left, Errored):
            return None
        return handling(task, handler)

    def ends_run(self, task: Task) -> bool:
        """Whether nothing follows what a task has left: it failed, and nobody handles that."""
        return self.is_failure(task, self.results[task.id])

    def is_failure(self, task: Task, left: object) -> bool:
        """Whether what a task has left, or raised, keeps others from being started."""
        if is_stopped(left):
            return False
        failed = isinstance(left, Errored) and node_of(self.graph, task).handler is None
        return failed or isinstance(left, BaseException)

    def ended(self, task: Task) -> Ended:
        """Return what there is to tell about a task that has its result."""
        opened = self.checkpoint
        result = self.results[task.id]
        return Ended(self.job.place.ns, task, result, opened.values, step=opened.step + 1)

    def timed(self, task: Task, result: Result) -> Result:
        """Return what a task left as it is stored.

        Its questions have the times of their deadlines, a failure says whether a handler takes it.
        """
        if isinstance(result, Errored) and node_of(self.graph, task).handler is None:
            return replace(result, is_settled=True)
        return timed(result, self.state.deadlines.get(task.id, {}), now())

    def delay(self, task: Task, result: Result, attempt: int) -> float | None:
        """Return the seconds until the next attempt, None when ``result`` is final."""
        if not isinstance(result, Errored):
            return None
        return retry_delay(node_of(self.graph, task), result, attempt, random.uniform(0, 1))  # noqa: S311 only a jitter


def limit_of(node: Node, task: Task) -> AttemptLimit | None:
    """Return what ends an attempt at a task of a node that takes too long, if it is limited."""
    policy = policy_of(node, task)
    if policy is None:
        return None
    from distgraph.runners.limits import TimeLimit  # noqa: PLC0415 it needs asyncio

    return TimeLimit(node.name, policy)


def policy_of(node: Node, task: Task) -> TimeoutPolicy | None:
    """Return the time limits of an attempt; what sent the task counts before the node."""
    sent = task.send.timeout if isinstance(task.send, Send) and task.handles is None else None
    return sent or node.timeout


def heard_by(limit: AttemptLimit | None, speak: Speak | None) -> Speak | None:
    """Return ``speak``, which shows the limit of an attempt that there is progress."""
    if limit is None or speak is None:
        return speak

    def speaking(message: Any, about: Mapping[str, Any], whole: bool) -> None:
        limit.progressed()
        speak(message, about, whole)

    return speaking


def stopping(job: Job, request: Execute) -> Failed | None:
    """Return how a run ends that was asked to stop, before a superstep; None where it goes on."""
    control = job.invocation.control
    if control is None or not control.drain_requested:
        return None
    if all(task.handles is not None for task in request.tasks):
        return None
    return Failed(errored(GraphDrained(control.drain_reason or "")))


def is_stopped(left: object) -> bool:
    """Whether a task has left nothing since the graph inside it was asked to stop."""
    return isinstance(left, Errored) and isinstance(left.exception, GraphDrained)


def now() -> int:
    """Return the time of the stores of this process, in ms since 1970."""
    return time.time_ns() // 1_000_000


def open_superstep(job: Job, request: Execute, around: Around) -> OpenSuperstep:
    """Return the superstep that ``request`` asks to run."""
    checkpoint = with_caller_writes(job.graph, request.state)
    results = dict(request.state.results)
    state = request.state.with_results(results)
    return OpenSuperstep(job, state, results, checkpoint, around, request.stop)


def unstorable(
    superstep: OpenSuperstep, task: Task, left: Result, error: SerializationError
) -> Errored:
    """Return the failure of a task of which ``left`` cannot be stored: its own, where it failed."""
    if isinstance(left, Errored):
        return left
    named = InvalidUpdateError(f"Node '{task.node}' returned what cannot be stored. {error}")
    named.__cause__ = error
    return read_error(named, superstep.frame(task, 1))
