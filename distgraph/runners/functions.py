"""The functions that tasks call: each call is a task of its own, kept as soon as it is done.

A call is known by its caller's task and its number among the calls of an attempt at that, so that
whoever runs the caller again is given what it has returned already.
"""

from __future__ import annotations

import contextvars
import random
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from distgraph.channels import LastValue
from distgraph.core.execute import read_error
from distgraph.core.frame import CallArguments, TaskFrame, discard
from distgraph.core.graph import Graph, Node
from distgraph.core.model import (
    RETURN,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Result,
    Task,
    ThreadState,
)
from distgraph.core.plan import called_id
from distgraph.core.retry import retry_delay
from distgraph.errors import (
    GraphInterrupt,
    InvalidUpdateError,
    ParentCommand,
    SerializationError,
)
from distgraph.events import Custom, Ended, Event, FunctionCalled
from distgraph.runners.attempts import limit_of
from distgraph.runners.futures import SyncAsyncFuture
from distgraph.runners.lanes import TaskLanes
from distgraph.runners.stores import Asking, Calls, Store
from distgraph.runners.watched import watch
from distgraph.types import Send

TellCalls = Callable[[Event | None], None]
"""Takes what there is to tell, and None for the end of a call of which there is nothing."""


class Keeper(Protocol):
    """Where it is kept what functions have returned to the tasks of a superstep."""

    def find(self, task: Task) -> Generator[Asking, Any, Result | None]:
        """Return what is kept of a call."""
        ...

    def keep(self, task: Task, result: Result) -> Calls:
        """Keep what a call has returned."""
        ...


@dataclass(frozen=True, slots=True)
class StoreKeeper:
    """Keeps it as results of the superstep that runs from ``state``."""

    store: Store
    state: ThreadState

    def find(self, task: Task) -> Generator[Asking, Any, Result | None]:
        """Return what was kept when the superstep was loaded."""
        yield from ()
        return self.state.results.get(task.id)

    def keep(self, task: Task, result: Result) -> Calls:
        """Store it beside the results of the superstep's own tasks."""
        return self.store.result(self.state, task, result)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function by the attempt ``caller``; ``graph`` has the one node that runs it.

    ``context`` is a copy of that in which it was called.
    """

    caller: TaskFrame
    task: Task
    graph: Graph
    context: contextvars.Context
    began: float = field(default_factory=time.time)

    @property
    def is_outermost(self) -> bool:
        """Whether it is called by a task of the superstep, and not by another function."""
        return self.caller.task.caller is None

    def frame(self, attempt: int) -> TaskFrame:
        """Return the frame for an attempt."""
        return replace(
            self.caller,
            task=self.task,
            graph=self.graph,
            emit=discard if self.caller.emit is discard else self._emit,
            attempt=attempt,
            began=self.began,
            limit=limit_of(self.graph.nodes[self.task.node], self.task),
            lanes=TaskLanes(),
            calls=0,
            inquiry=None,
            pending=[],
            taken=set(),
            called=0,
            heard={},
            untaken=[],
            refused=None,
            failed=None,
            watch=watch(self.caller.speak),
            pushed=[],
        )

    def _emit(self, chunk: Any) -> None:
        """Stream a chunk from where its caller's graphs are."""
        if self.caller.publish is None:
            self.caller.emit(chunk)
        else:
            self.caller.publish(Custom(self.caller.own_ns, chunk))


class Try(NamedTuple):
    """Asks for an attempt at a call."""

    frame: TaskFrame


class Sleep(NamedTuple):
    """Asks to wait for so many seconds."""

    seconds: float


Need = Try | Sleep | Asking


class Settled(NamedTuple):
    """What became of a call; ``kept``: it was done before, in an earlier attempt or run."""

    result: Result
    kept: bool = False


def steps(call: FunctionCall, keeper: Keeper) -> Generator[Need, Any, Settled]:
    """Carry a call to its end: find what it has returned, or try it until that is final."""
    found = yield from keeper.find(call.task)
    if isinstance(found, Completed):
        return Settled(found, kept=True)
    attempt = 1
    while True:
        result: Result = yield Try(call.frame(attempt))
        pause = _delay(call, result, attempt)
        if pause is None:
            break
        yield Sleep(pause)
        attempt += 1
    if isinstance(result, Completed):
        try:
            yield from keeper.keep(call.task, result)
        except SerializationError as error:
            return Settled(_unstorable(call, error))
    return Settled(result)


def _delay(call: FunctionCall, result: Result, attempt: int) -> float | None:
    if not isinstance(result, Errored):
        return None
    node = call.graph.nodes[call.task.node]
    return retry_delay(node, result, attempt, random.uniform(0, 1))  # noqa: S311 only a jitter


def _unstorable(call: FunctionCall, error: SerializationError) -> Errored:
    name = call.task.node
    named = InvalidUpdateError(f"Task '{name}' returned what cannot be stored. {error}")
    named.__cause__ = error
    return read_error(named, call.frame(1))


@dataclass(slots=True)
class OpenCalls:
    """The calls that tasks of one superstep have begun, by their ids, and those that are open."""

    tell: TellCalls | None
    futures: dict[str, SyncAsyncFuture[Any]] = field(default_factory=dict)
    open: set[SyncAsyncFuture[Any]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, caller: TaskFrame, node: Node, given: CallArguments) -> FunctionCall:
        """Return the next call of an attempt, which is told."""
        with self.lock:
            number, caller.called = caller.called, caller.called + 1
        around = caller.graph
        kept = around.cache if around is not None else None
        own = replace(node, retry=node.retry or _policies(caller), cache=node.cache or kept)
        graph = Graph(
            name=node.name,
            nodes={node.name: own},
            channels={RETURN: LastValue(Any)},
            joins=(),
            inputs=(),
            outputs=(RETURN,),
            retry=_policies(caller),
            cache=kept,
        )
        tid = called_id(caller.checkpoint, caller.ns, caller.task, node.name, number)
        task = Task(tid, node.name, number, Send(node.name, given), caller.task)
        return FunctionCall(caller, task, graph, contextvars.copy_context())

    def known(self, call: FunctionCall) -> SyncAsyncFuture[Any] | None:
        """Return the future of the same call by an earlier attempt, if that has not failed."""
        future = self.futures.get(call.task.id)
        if future is None or (future.done() and (future.cancelled() or future.exception())):
            return None
        return future

    def add(self, call: FunctionCall, future: SyncAsyncFuture[Any]) -> None:
        """Take note of a call that begins."""
        with self.lock:
            self.futures[call.task.id] = future
            self.open.add(future)
        if self.tell is not None:
            step = call.caller.checkpoint.step + 1
            self.tell(FunctionCalled(call.caller.ns, call.task, call.graph, step))

    def forget(self, future: SyncAsyncFuture[Any]) -> None:
        """Take note that nobody wants a call any more: the next attempt makes another one."""
        with self.lock:
            self.futures = {tid: each for tid, each in self.futures.items() if each is not future}

    def claim(self, future: SyncAsyncFuture[Any]) -> bool:
        """Whether who asks is the one that has to make a call; nobody has to if it is cancelled."""
        with self.lock:
            done = future.done() and not future.cancelled()
            if future.running() or done or future not in self.open:
                return False
            if future.set_running_or_notify_cancel():
                return True
        self.close(future)
        return False

    def over(self, call: FunctionCall, future: SyncAsyncFuture[Any], outcome: Settled) -> None:
        """TellCalls how a call ended, and then whoever waits for it."""
        if self.tell is not None and _is_shown(outcome):
            step = call.caller.checkpoint.step + 1
            self.tell(Ended(call.caller.ns, call.task, outcome.result, {}, step=step))
        resolve(call, future, outcome.result)
        self.close(future)

    def failed(self, future: SyncAsyncFuture[Any], error: BaseException) -> None:
        """TellCalls whoever waits that a call could not be carried to an end."""
        future.set_exception(error)
        self.close(future)

    def close(self, future: SyncAsyncFuture[Any]) -> None:
        """Count a call as over."""
        with self.lock:
            self.open.discard(future)
        if self.tell is not None:
            self.tell(None)


def _policies(caller: TaskFrame) -> tuple[Any, ...]:
    return caller.graph.retry if caller.graph is not None else ()


def _is_shown(outcome: Settled) -> bool:
    """Whether there is news of a call: what it asks its caller tells."""
    return not outcome.kept and isinstance(outcome.result, Completed | Errored)


def resolve(call: FunctionCall, future: SyncAsyncFuture[Any], result: Result) -> None:
    """Give a future what became of its call."""
    match result:
        case Completed(writes):
            ((_, value),) = writes
            future.set_result(value)
        case Interrupted(questions, refused):
            call.caller.refused = call.caller.refused or refused
            call.caller.heard.update({q.interrupt.id: q for q in questions})
            future.set_exception(GraphInterrupt([q.interrupt for q in questions]))
        case Errored(exception=StopIteration() as error):  # no future of a loop may have it
            told = RuntimeError(f"'{call.task.node}' raised StopIteration")
            told.__cause__ = error
            future.set_exception(told)
        case Errored() as failure:
            future.set_exception(failure.exception or RuntimeError(str(failure)))
        case Escaped(command):
            future.set_exception(ParentCommand(command, call.caller))
