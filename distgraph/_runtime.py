"""What a running node is told of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Generic

from distgraph.typing import ContextT


def no_writer(_chunk: Any) -> None:
    """Where custom chunks go while nobody streams them."""


def no_heartbeat() -> None:
    """Show progress to nobody: the attempt has no idle timeout."""


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """Where a running node is: ids of its checkpoint, task, thread and run, and its attempt.

    ``node_first_attempt_time``: when the first attempt began, in seconds since 1970; on workers,
    when the superstep did.
    """

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None
    node_attempt: int = 1
    node_first_attempt_time: float | None = None

    def patch(self, **overrides: Any) -> ExecutionInfo:
        """Return the same with some fields replaced."""
        return replace(self, **overrides)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Who serves the graph to whom, as config["configurable"] says it.

    That is ``assistant_id``, ``graph_id``, and ``langgraph_auth_user`` for the user.
    """

    assistant_id: str
    graph_id: str
    user: Any = None


class RunControl:
    """Asks a run to stop at its next superstep: ``invoke(..., control=control)``.

    From any thread. The run then ends by raising GraphDrained, unless it is over or waits by then,
    and ``invoke(None)`` goes on with it. Graphs inside stop as well. Behaves as LangGraph's.
    """

    __slots__ = ("_reason", "_told")

    def __init__(self) -> None:
        self._reason: str | None = None
        self._told: list[Callable[[str], object]] = []

    def request_drain(self, reason: str = "shutdown") -> None:
        """Have the run stop; what is said last counts as its reason."""
        self._reason = reason
        for tell in tuple(self._told):
            tell(reason)

    def pass_on(self, tell: Callable[[str], object]) -> Callable[[], None]:
        """Have ``tell`` called with the reason of each request; return what ends that."""
        self._told.append(tell)
        return lambda: self._told.remove(tell)

    @property
    def drain_requested(self) -> bool:
        """Whether the run is to stop."""
        return self._reason is not None

    @property
    def drain_reason(self) -> str | None:
        """Why the run is to stop, None while it is not."""
        return self._reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime(Generic[ContextT]):
    """What a node may know about its run: ``def node(state, runtime: Runtime[Context])``.

    ``store`` is that of the graph. ``stream_writer`` streams a chunk in the custom mode.
    ``heartbeat`` tells that the node makes progress, where it has an idle timeout. ``previous`` is
    what the run of a workflow before this one has saved. ``control`` may ask the run to stop.
    """

    context: ContextT = None  # type: ignore[assignment]
    store: Any = None
    stream_writer: Callable[[Any], None] = no_writer
    heartbeat: Callable[[], None] = no_heartbeat
    previous: Any = None
    execution_info: ExecutionInfo | None = None
    server_info: ServerInfo | None = None
    control: RunControl | None = None

    def merge(self, other: Runtime[ContextT]) -> Runtime[ContextT]:
        """Return the same with what ``other`` has: of each field what is not left out there."""
        given = {name: value for name in _NAMES if (value := _own(other, name)) is not None}
        return replace(self, **given)

    def override(self, **overrides: Any) -> Runtime[ContextT]:
        """Return the same with some fields replaced."""
        return replace(self, **overrides)

    def patch_execution_info(self, **overrides: Any) -> Runtime[ContextT]:
        """Return the same with fields of its ``execution_info`` replaced.

        RuntimeError where there is none.
        """
        if self.execution_info is None:
            msg = "Cannot patch execution_info before it has been set"
            raise RuntimeError(msg)
        return replace(self, execution_info=self.execution_info.patch(**overrides))

    @property
    def idempotency_key(self) -> str:
        """The task's id: equal for every attempt at it, different for every other task.

        So an outside system can tell a repeated call.
        """
        return self.execution_info.task_id if self.execution_info else ""

    @property
    def attempt(self) -> int:
        """Which try at the task this is, from 1."""
        return self.execution_info.node_attempt if self.execution_info else 1

    @property
    def drain_requested(self) -> bool:
        """Whether the run is to stop at its next superstep."""
        return self.control is not None and self.control.drain_requested

    @property
    def drain_reason(self) -> str | None:
        """Why the run is to stop, None while it is not."""
        return self.control.drain_reason if self.control else None


_NAMES = tuple(field.name for field in fields(Runtime))
DEFAULT_RUNTIME: Runtime[Any] = Runtime()
"""What is told outside of a run."""


def _own(runtime: Runtime[Any], name: str) -> Any:
    """Return a field that says something; a context that is empty or false says nothing."""
    value = getattr(runtime, name)
    if name == "context":
        return value or None
    return None if value is getattr(DEFAULT_RUNTIME, name) else value
