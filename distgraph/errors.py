"""Every error that distgraph raises, in one shallow tree; each message says what to do."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
from distgraph._response import INVALID
from distgraph.types import Interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from distgraph.types import Command


class DistGraphError(Exception):
    """Base of the errors that are distgraph's own.

    Its arguments are sentences. Where there are two, the first says what happened, and the second
    what a program does about it: the command line has words of its own for that.
    """

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


# --- what a program does wrong -------------------------------------------------------------


class InvalidUpdateError(DistGraphError):
    """A node, or a caller, wrote something that the state cannot take."""


class EmptyInputError(DistGraphError):
    """A run was started with nothing to start from."""


class EmptyChannelError(DistGraphError):
    """A channel was read before anything was written to it."""


class GraphRecursionError(DistGraphError, RecursionError):
    """A run took more supersteps than its ``recursion_limit`` allows."""


class SerializationError(DistGraphError, TypeError):
    """A value cannot be stored; the message names where it is and what to do."""


class DeserializationError(DistGraphError, ValueError):
    """Stored bytes are damaged, too large, or name a type that is not allowed."""


# --- answers --------------------------------------------------------------------------------


class ResumeError(DistGraphError, RuntimeError):
    """An answer could not be delivered; nothing was changed."""


class NothingToResume(ResumeError):
    """``Command(resume=...)`` was sent to a thread that waits for nothing."""


class NoSuchInterrupt(ResumeError):
    """An answer names a question that is not pending; ``pending`` lists those that are."""

    unknown: tuple[str, ...]
    pending: tuple[str, ...]

    def __init__(self, unknown: Sequence[str], pending: Sequence[str]) -> None:
        self.unknown, self.pending = tuple(unknown), tuple(pending)
        waiting = ", ".join(self.pending) or "none"
        super().__init__(
            f"No pending interrupt has the id {', '.join(self.unknown)}. It was answered already, "
            f"its deadline is over, or it was never asked on this thread. Pending now: {waiting}."
        )


def is_invalid_resume(error: BaseException) -> bool:
    """Whether ``error`` says that an answer does not fit the ``response_schema`` of its question.

    As LangGraph does, of what ``interrupt`` raises in a node and a run in this process.
    """
    return getattr(error, INVALID, False) is True


class InterruptTimeout(DistGraphError, TimeoutError):
    """Raised by ``interrupt(on_timeout="fail")``: nobody answered before the deadline."""


class NodesMissing(ResumeError):
    """A thread would run nodes next that its graph has not (any more); ``nodes`` names them."""

    graph: str
    nodes: tuple[str, ...]

    def __init__(self, graph: str, nodes: Sequence[str]) -> None:
        self.graph, self.nodes = graph, tuple(nodes)
        named = ", ".join(f"'{node}'" for node in self.nodes)
        super().__init__(
            f"Graph '{graph}' as it is here has no node {named}, which this thread runs next. "
            "Nothing was changed, and its questions are kept: go on with the version of the graph "
            "that has it, or give the graph a node of that name."
        )


class AmbiguousResume(ResumeError):
    """A bare answer was sent while several questions are pending."""


# --- threads and runs -----------------------------------------------------------------------


class ThreadBusy(DistGraphError):
    """The thread has a run that is not finished; wait for it, or cancel it."""


class ThreadNotFound(DistGraphError, KeyError):
    """No thread of that id is stored."""


class NothingToContinue(ThreadNotFound, EmptyInputError):
    """A run without an input was started on a thread, or at a checkpoint, that is not stored."""


class ThreadConflict(DistGraphError):
    """Somebody else moved the thread on between reading and writing it."""


class ThreadExists(ThreadConflict):
    """A run was to begin a new thread, and one of that id is stored."""


class RunCancelled(DistGraphError):
    """The run that is waited for was cancelled."""


class RunTimeout(DistGraphError, TimeoutError):
    """The run did not finish within the time that the caller was ready to wait."""


@dataclass(frozen=True, slots=True)
class NodeError:
    """What an error handler is told: the name of the node that failed, and what it raised.

    After a process died that is an exception made again from what is stored.
    """

    node: str
    error: BaseException


class NodeExited(DistGraphError, RuntimeError):
    """A node tried to end the process, or raised something that is not an Exception."""


class NodeCancelledError(NodeExited):
    """A node that nobody cancelled raised asyncio.CancelledError; ``node`` is its name."""

    node: str

    def __init__(self, node: str, message: str | None = None) -> None:
        self.node = node
        super().__init__(message or f"Node '{node}' raised asyncio.CancelledError")


class NodeTimeoutError(DistGraphError):
    """A node took longer than its ``timeout=`` allows; no TimeoutError, and tried again as others.

    ``kind``: "run", or "idle" where it showed no progress. ``timeout`` is that limit and
    ``elapsed`` what the attempt took, in seconds.
    """

    node: str
    elapsed: float
    kind: Literal["idle", "run"]
    timeout: float
    idle_timeout: float | None
    run_timeout: float | None

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["idle", "run"],
        idle_timeout: float | None = None,
        run_timeout: float | None = None,
    ) -> None:
        self.node, self.elapsed, self.kind = node, elapsed, kind
        self.idle_timeout, self.run_timeout = idle_timeout, run_timeout
        limit = idle_timeout if kind == "idle" else run_timeout
        self.timeout = limit if limit is not None else elapsed
        what = " without making progress" if kind == "idle" else ""
        super().__init__(
            f"Node '{node}' exceeded its {kind} timeout of {self.timeout:.3f}s{what} "
            f"(elapsed: {elapsed:.3f}s)."
        )


class NodeStopped(DistGraphError):
    """A worker ended a node that ran: at its time limit, or because its job was revoked."""


class RemoteNodeError(DistGraphError):
    """A node failed in a worker with an exception type that this process does not know."""


class WorkerLost(DistGraphError):
    """A task's worker vanished (killed, out of memory) more often than is tolerated."""


class AdvanceLost(DistGraphError):
    """The worker that reduces a superstep vanished more often than is tolerated."""


class JobFailed(DistGraphError):
    """What a worker's job raises to Celery when attempts failed in it; no caller meets it.

    It names graph, node, thread, run and attempt; its cause is the exception of the node.
    ``is_final``: whether any of them is not tried again.
    """

    is_final = True


# --- the outside ----------------------------------------------------------------------------


class StoreError(DistGraphError):
    """Redis refused a command."""


class StoreUnavailable(StoreError, ConnectionError):
    """Redis could not be reached."""


class BrokerUnavailable(DistGraphError, ConnectionError):
    """The message broker could not be reached."""


class CorruptRecord(StoreError):
    """A stored record is not of the form that this version writes."""


class CannotDraw(DistGraphError):
    """A picture of a graph cannot be made on this machine, or not by what is there."""


class NewerFormat(StoreError):
    """Something was stored by a newer version than this one; nothing was read or changed.

    ``number`` is its format, ``release`` the version of distgraph that wrote it, '' when only the
    record itself is known.
    """

    what: str
    number: int
    known: int
    release: str

    def __init__(self, what: str, number: int, known: int, release: str = "") -> None:
        super().__init__(what, number, known, release)
        self.what, self.number, self.known, self.release = what, number, known, release

    def __str__(self) -> str:
        wanted = f"distgraph {self.release} or newer" if self.release else "a newer distgraph"
        return (
            f"{self.what} is stored in format {self.number}, and this process reads formats up to "
            f"{self.known}. Nothing is damaged: upgrade this process to {wanted}."
        )


# --- signals: they pass through a node's ``except Exception`` -------------------------------


class GraphBubbleUp(BaseException):
    """Base of the signals that leave a node without being a failure."""


class GraphInterrupt(GraphBubbleUp):
    """Raised by ``interrupt()`` inside a node; the engine turns it into a pause."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        self.interrupts: tuple[Interrupt, ...] = tuple(interrupts)
        super().__init__(self.interrupts)


class NodeInterrupt(GraphInterrupt):
    """Raised by a node to pause before it is done; deprecated in favour of ``interrupt()``.

    The node runs again with the next call, whatever that brings, and may raise it again.
    """

    def __init__(self, value: Any, id: str | None = None) -> None:  # noqa: A002 LangGraph's name
        what = "NodeInterrupt is deprecated: ask by distgraph.types.interrupt() instead."
        warnings.warn(what, DeprecationWarning, stacklevel=2)
        super().__init__([Interrupt(value) if id is None else Interrupt(value, id)])


class ParentCommand(GraphBubbleUp):
    """Carries a ``Command(graph=Command.PARENT)`` out of a nested graph.

    ``caller`` is the task whose graph takes it, once it has left the one inside that task.
    """

    def __init__(self, command: Command[Any], caller: object = None) -> None:
        self.command, self.caller = command, caller
        super().__init__(command)

    def __str__(self) -> str:
        return "A command for the graph around this one."


class GraphDrained(GraphBubbleUp, DistGraphError):
    """A run has stopped between supersteps because its RunControl was asked to stop it.

    ``reason`` is why. Everything is stored where there is a checkpointer: ``invoke(None)`` goes on.
    """

    reason: str

    def __init__(self, reason: str = "shutdown") -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"Graph drained: {self.reason}"


class NoParentGraph(ParentCommand, InvalidUpdateError):
    """A ``Command(graph=Command.PARENT)`` left a graph that no other one is around.

    What a caller gets; ``command`` is the command.
    """

    def __str__(self) -> str:
        return (
            "There is no parent graph: a node returned Command(graph=Command.PARENT), and its "
            "graph was called on its own."
        )


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
