"""What is durable about a graph frame, and what may happen to it next; everything is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from distgraph._deadline import Deadline
from distgraph.core.packets import Packet
from distgraph.types import Command, Interrupt, Send

START = "__start__"
END = "__end__"
TAG_HIDDEN = "langsmith:hidden"
"""The tag of a node that streams do not show, and that "*" does not mean as a breakpoint."""
PREVIOUS, RETURN = "__previous__", "__return__"
"""Channels of workflows: what a run keeps for the next one, and what a call of a function returns.

What a workflow returns is in END.
"""
NULL_TASK = "00000000-0000-0000-0000-000000000000"
GRAPH, NAME, CALLER, ROUND = "__graph__", "__name__", "__caller__", "__round__"
EXIT, ENDED, DRAINS = "__exit__", "__ended__", "__drains__"
HIDDEN = "__"
"""Metadata of a called graph's checkpoints: its fingerprint and name, the namespace of its task,
and the round of the attempt that made them. EXIT: the run that made one and leaves its last alone;
ENDED stands in that with which it finished. DRAINS: somebody may ask the run to stop.

No snapshot shows entries that begin so.
"""
UNSAVED = ""
"""The reference of a channel that a caller changed and that no commit has stored yet."""
Source = Literal["input", "loop", "update", "fork"]
Write = tuple[str, Any]
Target = str | Send | Packet


@dataclass(frozen=True, slots=True)
class Line:
    """How far a list reaches in the line of segments ``name``: so many of them, with ``items``.

    ``size`` and ``digest`` are those of the encoded items; the digest is empty when nothing may be
    appended here any more.
    """

    name: str
    segments: int
    items: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a frame between two supersteps.

    ``frontier``: what the next superstep runs, node names and Sends in the order of their writing;
    a Packet stands for a Send whose argument was not read.
    ``arrived``: join name -> the sources that have come in since its target last ran. ``versions``:
    channel -> an opaque reference that changes whenever the channel is written. ``changed``: the
    channels that the superstep which led here has written, ``grown`` those of them that are lists
    to which it appends, each with the version that its value extends ('' for none). ``lines`` is
    where those lists are stored: the business of who stores them. ``last``: the nodes of that
    superstep. ``authors``: the nodes that a run's edges started most recently, for which an update
    speaks that names none. ``deferred``: nodes that run when nothing else is left.
    """

    id: str
    parent_id: str | None
    step: int
    source: Source
    ts: str
    values: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    grown: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    frontier: tuple[Target, ...] = ()
    arrived: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()
    last: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """One node's execution in one superstep; ``send`` is what sent it, None when it reads state.

    That of a function which another task calls has that one as its ``caller``: it is no part of the
    superstep's plan, and its ``send`` holds the arguments. That of an error handler ``handles`` the
    one that has failed.
    """

    id: str
    node: str
    index: int
    send: Send | Packet | None = None
    caller: Task | None = None
    handles: Task | None = None

    @property
    def origin(self) -> Task:
        """The task that is part of the superstep's plan: of a handler the one that has failed."""
        return self.handles or self

    @property
    def place(self) -> str:
        """The name of the task among all of its graph's frame, behind those of its callers."""
        own = f"{self.node}:{self.id}"
        return own if self.caller is None else f"{self.caller.place}|{own}"

    @property
    def path(self) -> tuple[Any, ...]:
        """Where the task stands in the superstep, as snapshots show it."""
        if self.handles is not None:
            return self.handles.path
        if self.caller is not None:
            return ("__pregel_push", self.caller.path, self.index, True)
        if self.send is None:
            return ("__pregel_pull", self.node)
        return ("__pregel_push", self.index, False)

    @property
    def order(self) -> tuple[int, str, int]:
        """Sort key for applying writes: node tasks by name, then Sends as they were written."""
        return (0, self.origin.node, 0) if self.send is None else (1, "", self.index)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a task asks a question: the ``n``-th of a ``branch``, from 0.

    ``branch`` is '' for the node itself (``questions`` tells of others). ``digest`` is that of the
    question's value. ``index`` counts all that the attempt had asked before, as LangGraph does.
    """

    branch: str = ""
    n: int = 0
    digest: str = ""
    index: int = 0

    @property
    def is_named(self) -> bool:
        """Whether the branch is known by its name, and not by what it asks first."""
        return not self.branch.startswith("~")


@dataclass(frozen=True, slots=True)
class Question:
    """A pending interrupt; ``ns`` is the frame that asks, so that a nested one is reached.

    ``place`` is that of a question with a ``deadline``: the same whenever it is asked again.
    ``asked`` is when, in ms since 1970; 0 where the store knows that by itself.
    """

    interrupt: Interrupt
    ns: str
    deadline: Deadline | None = None
    place: str = ""
    slot: Slot = Slot()
    asked: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class GivenBy:
    """What there is to tell of an answer: when it was asked for and given, and by whom.

    Times in ms since 1970, 0 where that is not known.
    """

    asked: int = 0
    given: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the question ``id``, asked in the frame ``ns`` at ``slot``."""

    id: str
    ns: str
    value: Any
    slot: Slot = Slot()
    told: GivenBy = field(default=GivenBy(), compare=False)


@dataclass(frozen=True, slots=True)
class Expired:
    """Stands in an answer for the one that nobody gave in time: an error, or the default."""

    fails: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Completed:
    """A task that returned: its writes, and the nodes and Sends that it makes run next.

    ``handled``: it has failed, and this is what its error handler left. ``drains``: the run that it
    has asked to stop, and why; None where it has not, or who runs it stops by itself. ``cached``:
    it was not run, and this is what a cache had.
    """

    writes: tuple[Write, ...] = ()
    goto: tuple[Target, ...] = ()
    handled: bool = False
    drains: tuple[str, str] | None = None
    cached: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A task that asks, or whose graph stopped at a breakpoint when ``questions`` is empty.

    ``refused``: why an answer to one of them was not taken. Only who ran the task is told.
    """

    questions: tuple[Question, ...]
    refused: Errored | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Errored:
    """A task that failed; ``exception`` is the live one, only in the process that raised it.

    ``args`` is what its exception is made of, ``attributes`` what it holds besides, ``inner`` the
    exceptions of a group. ``around``: of each node around the one that failed, the outermost first,
    which of its retry policies takes the live exception (-1 = none), where their attempts are
    others' jobs. ``is_settled``: no error handler takes it any more. ``shown`` is its repr, ''
    where name and message tell it; ``held`` are the attributes as they are stored, which not
    everybody can read who reads the record.
    """

    kind: str
    message: str
    traceback: str = ""
    args: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    shown: str = ""
    held: bytes = field(default=b"", compare=False, repr=False)
    inner: tuple[Errored, ...] = field(default=(), compare=False)
    around: tuple[int, ...] = field(default=(), compare=False)
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_settled: bool = field(default=False, compare=False)
    exception: BaseException | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.shown or shown_as(self.kind, self.message)


def shown_as(kind: str, message: str) -> str:
    """Return the repr of most exceptions of that class and text."""
    return f"{kind.rpartition('.')[2]}({repr(message) if message else ''})"


@dataclass(frozen=True, slots=True)
class Escaped:
    """A nested graph's task that left its graph with a command for the parent."""

    command: Command[Any]


Result = Completed | Interrupted | Errored | Escaped


@dataclass(frozen=True, slots=True)
class ThreadState:
    """Everything durable about a frame.

    ``results`` and ``answers`` belong to the tasks of the superstep that runs from ``checkpoint``;
    ``caller_writes`` are updates and gotos that callers added to it. ``released`` is the checkpoint
    whose static breakpoint was released. ``asked`` is what tasks that are done asked last, for who
    looks back, and ``failed`` what they failed with before, as text. ``deadlines``: of the tasks'
    questions that have one the time that each keeps when it is asked again, by its place, in ms
    since 1970. ``moved_past``: whether the thread has newer checkpoints than the named one.
    """

    checkpoint: Checkpoint
    results: Mapping[str, Result] = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    caller_writes: tuple[Completed, ...] = ()
    released: str = ""
    asked: Mapping[str, tuple[Interrupt, ...]] = field(default_factory=dict, compare=False)
    failed: Mapping[str, str] = field(default_factory=dict, compare=False)
    deadlines: Mapping[str, Mapping[str, int]] = field(default_factory=dict, compare=False)
    moved_past: bool = field(default=False, compare=False)

    def with_results(self, results: Mapping[str, Result]) -> ThreadState:
        """Return the same state with other results; each superstep has it made, so not by name."""
        return ThreadState(
            self.checkpoint,
            results,
            self.answers,
            self.caller_writes,
            self.released,
            self.asked,
            self.failed,
            self.deadlines,
            self.moved_past,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run was told: where it stops on its own, and what goes into its checkpoints.

    ``stop`` is the last step number that may run; ``before`` and ``after`` are static breakpoints.
    """

    recursion_limit: int
    stop: int
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The identity and time of a checkpoint to be made; ``ts`` is ISO 8601 in UTC."""

    id: str
    ts: str


@dataclass(frozen=True, slots=True)
class RunTasks:
    """These tasks of the open superstep have no result yet."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Every task of the superstep has completed; its writes are to be applied."""

    done: tuple[tuple[Task, Completed], ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing is left to run."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The frame waits: for answers to ``questions``, or at a static breakpoint when empty.

    ``refused``: why an answer to one of them was not taken in this run.
    """

    questions: tuple[Question, ...] = ()
    refused: Errored | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ends with an error; ``task`` is None when no single task is to blame."""

    error: Errored
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A nested graph was left with a command for its parent."""

    command: Command[Any]


Outcome = Finished | Paused | Failed | Left
Decision = RunTasks | Commit | Outcome
