"""The vocabulary of graphs: what nodes return, what callers send and what they get back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    Self,
    TypeAlias,
    Union,
)

from typing_extensions import TypedDict

from distgraph import _frame
from distgraph._arguments import as_name
from distgraph._caching import CachePolicy as CachePolicy
from distgraph._deadline import OnTimeout, read_deadline
from distgraph._elsewhere import missing_in
from distgraph._parts import CheckpointPayload as CheckpointPayload
from distgraph._parts import CheckpointStreamPart as CheckpointStreamPart
from distgraph._parts import CheckpointTask as CheckpointTask
from distgraph._parts import CustomStreamPart as CustomStreamPart
from distgraph._parts import DebugPayload as DebugPayload
from distgraph._parts import DebugStreamPart as DebugStreamPart
from distgraph._parts import MessagesStreamPart as MessagesStreamPart
from distgraph._parts import TaskPayload as TaskPayload
from distgraph._parts import TaskResultPayload as TaskResultPayload
from distgraph._parts import TasksStreamPart as TasksStreamPart
from distgraph._parts import UpdatesStreamPart as UpdatesStreamPart
from distgraph._response import read_response
from distgraph._runtime import ExecutionInfo as ExecutionInfo
from distgraph._runtime import Runtime as Runtime
from distgraph._timeouts import Timeout
from distgraph._timeouts import TimeoutPolicy as TimeoutPolicy
from distgraph.typing import NodeT, OutputT, StateT, UpdateT

All = Literal["*"]
Durability = Literal["sync", "async", "exit"]
StreamMode = Literal[
    "values", "updates", "tasks", "custom", "messages", "tools", "checkpoints", "debug"
]
StreamWriter = Callable[[Any], None]


class Send:
    """One task for ``node`` in the next superstep, with ``arg`` as its whole input.

    ``timeout`` limits each attempt at it as ``add_node(timeout=)`` does, and counts before that of
    the node. Raises TypeError and ValueError for what is no time.
    """

    __slots__ = ("arg", "node", "timeout")

    node: str
    arg: Any
    timeout: TimeoutPolicy | None

    def __init__(self, node: str, arg: Any, *, timeout: Timeout = None) -> None:
        self.node = node if type(node) is str else as_name(node)
        self.arg = arg
        self.timeout = None if timeout is None else TimeoutPolicy.coerce(timeout)

    def __hash__(self) -> int:
        return hash((self.node, self.arg, self.timeout))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Send):
            return False
        return (self.node, self.arg, self.timeout) == (other.node, other.arg, other.timeout)

    def __repr__(self) -> str:
        limit = f", timeout={self.timeout!r}" if self.timeout else ""
        return f"Send(node={self.node!r}, arg={self.arg!r}{limit})"


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A question that a node asked: its ``value``, and the ``id`` that an answer names.

    ``deadline``: until when it can be answered, in UTC; None for ever. ``response_schema``: what
    an answer has to be, as a JSON schema; None for anything.
    """

    value: Any
    id: str = "placeholder-id"
    deadline: datetime | None = None
    response_schema: dict[str, Any] | None = None

    def __repr__(self) -> str:
        until = f", deadline={self.deadline.isoformat()}" if self.deadline else ""
        expects = f", response_schema={self.response_schema!r}" if self.response_schema else ""
        return f"Interrupt(value={self.value!r}, id={self.id!r}{until}{expects})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[NodeT, UpdateT]):
    """What a node returns to update state and choose what runs next, or a caller to resume.

    ``graph``: None for this graph, ``Command.PARENT`` for the enclosing one. ``update``: a state
    update. ``resume``: the answer to the one pending interrupt, or ``{interrupt id: answer}``.
    ``goto``: a node name, a ``Send``, or a sequence of them. ``Command[Literal["a", "b"], Update]``
    tells type checkers where a node goes and what it updates.
    """

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"

    graph: str | None = None
    update: UpdateT | None = None
    resume: Any = None
    goto: Send | Sequence[Send | NodeT] | NodeT = ()

    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in ("graph", "update", "resume", "goto")}
        shown = ", ".join(f"{k}={v!r}" for k, v in given.items() if v is not None and v != ())
        return f"Command({shown})"


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Replaces the value of a reducer channel instead of being merged into it.

    ``type`` tells it from other dicts when it comes as JSON; LangGraph has it there, too.
    """

    value: Any
    type: Literal["__overwrite__"] = "__overwrite__"


def interrupt(
    value: Any,
    *,
    response_schema: dict[str, Any] | type | None = None,
    deadline: float | timedelta | datetime | None = None,
    default: Any = ...,
    on_timeout: OnTimeout = "resume",
) -> Any:
    """Ask ``value`` and return the answer; the first call pauses the run until there is one.

    On resume the node runs again from its beginning, and the n-th call of the node returns the
    n-th answer. Tasks of an event loop and threads that the node begins (in a copy of its context)
    may ask at the same time. Each of them is known by the value that it asks first and asks again
    with another value what has changed since, so values there should be the same in every attempt.
    Raises ``GraphInterrupt`` (a BaseException that must not be swallowed) while there
    is no answer, and RuntimeError outside of a node or in a graph without a checkpointer.

    ``response_schema``: what an answer has to be. A pydantic model, a TypedDict or a dataclass
    checks it: the call returns what pydantic makes of the answer, or raises its ValidationError.
    A node that this leaves waits for another answer to the same question, and so does the thread;
    what the run raises ``errors.is_invalid_resume`` knows (LangGraph's rule). By a JSON schema,
    which is shown to who answers, nothing is checked.

    ``deadline``: a datetime with a time zone, or for how long it can be answered, as seconds or a
    timedelta, from when the question is stored first; asked again at the same place it keeps its
    time. What nobody has answered by then is answered with ``default``; with ``on_timeout="fail"``
    the node runs again and this call raises ``InterruptTimeout``. Workers see to it within a few
    seconds. In process it happens when the thread is run next. ValueError and TypeError for what
    does not go together.
    """
    until = read_deadline(deadline, default, on_timeout)
    return _frame.current("interrupt()").ask(value, until, read_response(response_schema))


def _retryable(exc: Exception) -> bool:
    if isinstance(exc, ConnectionError):
        return True
    status = getattr(getattr(exc, "response", None), "status_code", None)
    if isinstance(status, int):
        return status >= HTTP_SERVER_ERROR
    return not isinstance(exc, _PROGRAM_ERRORS)


def _is_exception(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, Exception)


HTTP_SERVER_ERROR = 500
_PROGRAM_ERRORS = (
    ValueError,
    TypeError,
    ArithmeticError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    RuntimeError,
    ReferenceError,
    StopIteration,
    StopAsyncIteration,
    OSError,
)
RetryOn = Union[type[Exception], Sequence[type[Exception]], Callable[[Exception], bool]]  # noqa: UP007


class RetryPolicy(NamedTuple):
    """When and how often a failed node is tried again; times in seconds.

    ``max_attempts`` counts the first try, and none whose worker was killed. ``retry_on`` is an
    exception class, several of them, or a predicate; by default connection errors, HTTP 5xx and
    everything that is not a program error.
    """

    initial_interval: float = 0.5
    backoff_factor: float = 2.0
    max_interval: float = 128.0
    max_attempts: int = 3
    jitter: bool = True
    retry_on: RetryOn = _retryable

    def accepts(self, exc: Exception) -> bool:
        """Whether this policy tries again after ``exc``; TypeError for an unusable ``retry_on``."""
        self.check()
        match self.retry_on:
            case type() as cls:
                return isinstance(exc, cls)
            case list() | tuple() as classes:
                return isinstance(exc, tuple(classes))
            case predicate:
                return bool(predicate(exc))  # type: ignore[operator]

    def check(self) -> None:
        """Raise TypeError for an unusable ``retry_on``, and for what is no number."""
        self._check_numbers()
        given = self.retry_on
        classes = given if isinstance(given, list | tuple) else [given]
        if all(map(_is_exception, classes)) or (callable(given) and not isinstance(given, type)):
            return
        msg = (
            "retry_on must be an Exception class, a list or tuple of them, or a predicate, "
            f"not {self.retry_on!r}."
        )
        raise TypeError(msg)

    def _check_numbers(self) -> None:
        numbers: tuple[Any, ...] = self[:4]
        for name, value in zip(self._fields, numbers, strict=False):
            if isinstance(value, bool) or not isinstance(value, int | float):
                msg = f"{name} of a RetryPolicy must be a number, not {value!r}."
                raise TypeError(msg)

    def delay(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after the failed ``attempt`` (from 1); ``jitter`` is a draw from 0..1."""
        pause: float = min(
            self.max_interval, self.initial_interval * self.backoff_factor ** (attempt - 1)
        )
        return pause + (jitter if self.jitter else 0.0)


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer that a task was given: to the interrupt of that ``id``, and who gave it, or ''.

    ``asked`` and ``answered`` are times in UTC, None where they are not known. ``expired``: nobody
    answered in time, and the value is the default.
    """

    id: str
    value: Any
    by: str = ""
    asked: datetime | None = field(default=None, compare=False)
    answered: datetime | None = field(default=None, compare=False)
    expired: bool = False


class _ShownTask(NamedTuple):
    id: str
    name: str
    path: tuple[Any, ...]
    error: Exception | str | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: StateSnapshot[Any] | dict[str, Any] | None = None
    result: Any = None


class PregelTask(_ShownTask):
    """A task of a superstep as a snapshot shows it; ``result`` is None until it has run.

    ``answers`` are those that it was given so far. They stand beside its fields, which are
    LangGraph's: none of the tuple's items, and nothing that makes it another one.
    """

    answers: tuple[GivenAnswer, ...] = ()

    def _replace(self, **fields: Any) -> Self:
        given = fields.pop("answers", self.answers)
        made = super()._replace(**fields)
        made.answers = given
        return made


class StateSnapshot(NamedTuple, Generic[StateT]):
    """The state of a thread at one checkpoint."""

    values: StateT
    next: tuple[str, ...]
    config: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: dict[str, Any] | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


class StateUpdate(NamedTuple):
    """One update of ``bulk_update_state``: ``values`` written as if by the node ``as_node``."""

    values: Any
    as_node: str | None = None
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphOutput(Generic[OutputT]):
    """What ``invoke(version="v2")`` returns: the state, and the questions that wait for an answer.

    ``value`` is an instance of the output schema where that is a class, else a dict.
    """

    value: OutputT
    interrupts: tuple[Interrupt, ...] = ()


class ValuesStreamPart(TypedDict, Generic[OutputT]):
    """The state; ``ns`` is the namespace of its graph, () for the one that was called."""

    type: Literal["values"]
    ns: tuple[str, ...]
    data: OutputT
    interrupts: tuple[Interrupt, ...]


StreamPart = Union[  # noqa: UP007 it is subscribed
    ValuesStreamPart[OutputT],
    UpdatesStreamPart,
    MessagesStreamPart,
    CustomStreamPart,
    CheckpointStreamPart[StateT],
    TasksStreamPart,
    DebugStreamPart,
]
"""What ``stream(version="v2")`` yields; ``type`` tells which."""

Checkpointer: TypeAlias = Any
"""What ``compile(checkpointer=)`` takes: a saver, a bool, or None."""

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
