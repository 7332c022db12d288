"""The loop of a run, as a generator of requests; runners answer them.

The rule that makes every runner and every crash the same: nothing may live in a local of the loop
that ``Load`` does not give back.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from distgraph.core.apply import apply_writes
from distgraph.core.begin import again, begin, last_step, replay, restart
from distgraph.core.deadlines import expired
from distgraph.core.decide import decide_on
from distgraph.core.graph import Graph
from distgraph.core.handlers import acting, in_hand
from distgraph.core.model import (
    CALLER,
    ROUND,
    START,
    Answer,
    Checkpoint,
    Commit,
    Completed,
    Decision,
    Errored,
    Failed,
    Limits,
    Outcome,
    Result,
    RunTasks,
    Stamp,
    Task,
    ThreadState,
)
from distgraph.core.plan import check_nodes, tasks_of, with_caller_writes
from distgraph.core.recorded import errored
from distgraph.core.resume import (
    How,
    Reply,
    add_caller_write,
    as_first,
    bind,
    bind_again,
    deliver,
    given_answers,
    given_by,
    how_to_go_on,
    nested_replies,
    rejoin,
)
from distgraph.core.returns import read_return
from distgraph.core.standing import Risen
from distgraph.errors import (
    EmptyInputError,
    InvalidUpdateError,
    NothingToContinue,
    ParentCommand,
    ThreadNotFound,
)
from distgraph.types import Command


@dataclass(frozen=True, slots=True)
class Load:
    """Answer with the frame's ThreadState, or None when nothing is stored."""


@dataclass(frozen=True, slots=True)
class NewStamp:
    """Answer with the Stamp of a checkpoint that follows ``parent``, and is made inside of others.

    ``around`` are those: ns -> checkpoint id.
    """

    parent: Checkpoint | None
    around: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Save:
    """Store ``checkpoints``, oldest first, and know what follows: ``then`` is decided already.

    ``caller_write`` is what a caller adds to the superstep from the last of them, if anything.
    """

    checkpoints: tuple[Checkpoint, ...]
    state: ThreadState
    then: Decision
    caller_write: Completed | None = None


@dataclass(frozen=True, slots=True)
class GoOn:
    """Store that the superstep of ``state``, opened again already, goes on.

    ``how`` says what was there before; ``caller_write`` is a caller's update and gotos.
    """

    state: ThreadState
    how: How
    replies: tuple[Reply, ...]
    caller_write: Completed | None
    then: Decision


@dataclass(frozen=True, slots=True)
class Execute:
    """Run ``tasks`` and answer with ``state`` plus their results.

    ``stop``: the last step that the frame may take, for who does not come back to this program.
    """

    state: ThreadState
    tasks: tuple[Task, ...]
    stop: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RunHere:
    """Run ``tasks`` of ``graph`` in the caller's process; answer with task id -> Result.

    Nothing of it is stored: it is START, or a node whose return value a caller gave.
    """

    graph: Graph
    state: ThreadState
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class SaveUpdate:
    """Store a checkpoint that a caller made; the open superstep of the thread is dropped.

    Answer with the state as it is stored.

    ``done``: the tasks of that superstep that the caller spoke for, with what they wrote.
    """

    parent: Checkpoint | None
    state: ThreadState
    done: tuple[tuple[Task, Completed], ...] = ()


Request = Load | NewStamp | Save | GoOn | Execute | RunHere | SaveUpdate
Program = Generator[Request, Any, Outcome]


@dataclass(frozen=True, slots=True)
class Start:
    """What a run was called with.

    ``thread`` and ``at`` are the ids of thread and checkpoint that the caller named, or ''.
    ``now``, in ms since 1970, tells which deadlines are over; 0 where somebody else looks at them.
    ``by`` is who calls.
    """

    given: Any
    recursion_limit: int
    thread: str = ""
    at: str = ""
    now: int = 0
    by: str = ""
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    metadata: dict[str, Any] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is ahead of ``state``: the tasks of its superstep, planned once, and the next move."""

    state: ThreadState
    tasks: tuple[Task, ...]
    move: Decision


def run(graph: Graph, start: Start, ns: str = "") -> Program:
    """Carry a frame from ``start`` to its outcome.

    Raises EmptyInputError, InvalidUpdateError, ThreadNotFound and ResumeError before anything is
    stored.
    """
    state: ThreadState | None = yield Load()
    limits = limits_of(start, state)
    opened: Ahead | Failed
    match start.given:
        case None:
            opened = yield from _continue(graph, _existing(graph, state, start), start, limits, ns)
        case Command():
            opened = yield from _command(graph, state, start, limits, ns)
        case given:
            opened = yield from _input(graph, state, given, limits, ns)
    if isinstance(opened, Failed):
        return opened
    return (yield from _advance(graph, opened, limits, ns))


@dataclass(frozen=True, slots=True)
class Brought:
    """What an execution of a task brings to a graph that it called before: its ``answers``.

    Without one, what waits is asked again where the run ``asks_again``. ``risen`` tells how others
    have left the graph that ran it. ``anew`` is the answer to what it asks first, where it begins
    at an older checkpoint.
    """

    answers: tuple[Answer, ...] = ()
    asks_again: bool = False
    risen: Risen | None = None
    anew: Answer | None = None


NOTHING: Final = Brought()


def run_nested(graph: Graph, start: Start, ns: str, brought: Brought = NOTHING) -> Program:
    """Carry the frame of a graph called inside a task, to which that has ``brought`` something.

    What the same task began is gone on with, also when it is finished: then its result is given
    again. Any other state is that of an earlier call, which the input comes on top of, or which is
    started again when the call is ``at`` one of its checkpoints. One that has ``risen`` is taken as
    it stands.
    """
    state: ThreadState | None = yield Load()
    limits = limits_of(start, state)
    opened: Ahead | Failed
    if state is not None and brought.anew is None and _is_same_call(state.checkpoint, start):
        risen = brought.risen
        if risen is not None and (left := _as_left(graph, state, risen, limits, ns)) is not None:
            return left
        opened = yield from _rejoin(graph, state, brought, limits, ns)
    elif state is not None and start.at:
        opened = yield from _restart(graph, state, brought.anew, limits, ns)
    else:
        opened = yield from _input(graph, state, start.given, limits, ns)
    if isinstance(opened, Failed):
        return opened
    return (yield from _advance(graph, opened, limits, ns))


def _as_left(
    graph: Graph, state: ThreadState, risen: Risen, limits: Limits, ns: str
) -> Outcome | None:
    """Return the outcome of a frame that others have run; None where it can go on by itself.

    What came late may have taken the place of a failure.
    """
    if risen.failure is not None:
        return Failed(risen.failure)
    stood = risen.as_left(state)
    move = _ahead(graph, stood, replace(limits, stop=risen.stop), ns).move
    return None if isinstance(move, RunTasks | Commit) else move


def _is_same_call(at: Checkpoint, start: Start) -> bool:
    """Whether a call of a graph is the one that has stored ``at``."""
    caller = start.metadata.get(CALLER)
    return at.parents == start.parents and at.metadata.get(CALLER, caller) == caller


def _rejoin(
    graph: Graph, state: ThreadState, brought: Brought, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead]:
    replies = nested_replies(state, brought.answers)
    round_ = limits.metadata.get(ROUND, "")
    # What others have run in this round has asked again already.
    asks_again = brought.asks_again and brought.risen is None
    handled = _in_hand(graph, state, ns)
    opened = rejoin(state, replies, round_, handled, asks_again=asks_again)
    ahead = _ahead(graph, opened, limits, ns)
    yield GoOn(ahead.state, how_to_go_on(state, replies), replies, None, ahead.move)
    return ahead


def _restart(
    graph: Graph, state: ThreadState, anew: Answer | None, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead]:
    stamp = yield NewStamp(state.checkpoint, limits.parents)
    ahead = _ahead(graph, restart(state, stamp, limits), limits, ns)
    yield Save((ahead.state.checkpoint,), ahead.state, ahead.move)
    if anew is None:
        return ahead
    replies = tuple(Reply(task.id, as_first(anew, ns)) for task in ahead.tasks)
    opened = replace(ahead.state, answers=given_answers(ahead.state, replies))
    yield GoOn(opened, "resume", replies, None, ahead.move)
    return replace(ahead, state=opened)


def advance(graph: Graph, state: ThreadState, limits: Limits, ns: str = "") -> Program:
    """Carry on from ``state``, of which everything is stored."""
    return (yield from _advance(graph, _ahead(graph, state, limits, ns), limits, ns))


def _advance(graph: Graph, ahead: Ahead, limits: Limits, ns: str) -> Program:
    while True:
        match ahead.move:
            case RunTasks(tasks):
                state: ThreadState = yield Execute(ahead.state, tasks, limits.stop)
                now = acting(graph, state, ahead.tasks)
                ahead = Ahead(state, ahead.tasks, decide_on(now, state, limits))
            case Commit(done):
                stamp: Stamp = yield NewStamp(ahead.state.checkpoint)
                try:
                    state = next_state(graph, ahead.state, done, stamp, limits)
                except Exception as error:  # noqa: BLE001 a reducer is a user's code too
                    return Failed(errored(error))
                ahead = _ahead(graph, state, limits, ns)
                yield Save((state.checkpoint,), state, ahead.move)
            case outcome:
                return outcome


def _ahead(graph: Graph, state: ThreadState, limits: Limits, ns: str) -> Ahead:
    tasks = tasks_of(graph, state, ns)
    return Ahead(state, tasks, decide_on(acting(graph, state, tasks), state, limits))


def next_state(
    graph: Graph,
    state: ThreadState,
    done: tuple[tuple[Task, Completed], ...],
    stamp: Stamp,
    limits: Limits,
) -> ThreadState:
    """Return the state after the barrier."""
    opened = with_caller_writes(graph, state)
    return ThreadState(apply_writes(graph, opened, done, stamp, limits))


def limits_of(start: Start, state: ThreadState | None) -> Limits:
    """Return what the run may do, counted from the checkpoint where it starts."""
    return Limits(
        recursion_limit=start.recursion_limit,
        stop=last_step(state.checkpoint if state else None, start.recursion_limit),
        before=start.before,
        after=start.after,
        metadata=start.metadata,
        parents=start.parents,
    )


def _existing(graph: Graph, state: ThreadState | None, start: Start) -> ThreadState:
    """Return the state that is gone on from; NodesMissing when it is one of another graph."""
    if state is None:
        raise _missing(start)
    check_nodes(graph, state)
    return state


def _missing(start: Start) -> ThreadNotFound:
    """Return what is told of a place where nothing is stored."""
    named = f"no checkpoint {start.at[:200]!r}" if start.at else "no checkpoint"
    found = f"thread {start.thread[:200]!r} has {named}"
    if isinstance(start.given, Command) and start.given.resume is not None:
        return ThreadNotFound(f"An answer was sent to what is not stored: {found}.")
    return NothingToContinue(f"Received no input for __start__: {found} to continue from.")


def _input(
    graph: Graph, state: ThreadState | None, given: Any, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead | Failed]:
    """Map the input before anything is stored: a bad one must not change the thread."""
    parent = state.checkpoint if state else None
    stamp = yield NewStamp(parent, limits.parents)
    opened = begin(graph, parent, given, stamp, limits)
    if graph.entry or graph.triggers:
        ahead = _ahead(graph, opened, limits, ns)
        yield Save((opened.checkpoint,), ahead.state, ahead.move)
        return ahead
    (task,) = tasks_of(graph, opened, ns)
    ran: Mapping[str, Result] = yield RunHere(graph, opened, (task,))
    result = ran[task.id]
    if isinstance(result, Errored):
        return Failed(result, task)
    done = ((task, result),) if isinstance(result, Completed) else ()
    stamp = yield NewStamp(opened.checkpoint)
    ahead = _ahead(graph, next_state(graph, opened, done, stamp, limits), limits, ns)
    yield Save((opened.checkpoint, ahead.state.checkpoint), ahead.state, ahead.move)
    return ahead


def _continue(
    graph: Graph, state: ThreadState, start: Start, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead]:
    if start.at:
        return (yield from _run_again(graph, state, None, limits, ns))
    late = given_by(expired(state, start.now), start.now)
    opened = _reopened(graph, state, late, ns)
    ahead = _ahead(graph, opened, limits, ns)
    yield GoOn(ahead.state, how_to_go_on(state, late), late, None, ahead.move)
    return ahead


def _run_again(
    graph: Graph, state: ThreadState, caller_write: Completed | None, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead]:
    """Run an older checkpoint again, with what its caller writes onto it, if anything."""
    stamp = yield NewStamp(state.checkpoint)
    again_, new = replay(state, stamp, limits)
    opened = add_caller_write(again_, caller_write)
    ahead = _ahead(graph, opened, limits, ns)
    made = (opened.checkpoint,) if new else ()
    yield Save(made, opened, ahead.move, caller_write)
    return ahead


def _in_hand(graph: Graph, state: ThreadState, ns: str) -> frozenset[str]:
    return in_hand(graph, state, tasks_of(graph, state, ns))


def _reopened(graph: Graph, state: ThreadState, replies: tuple[Reply, ...], ns: str) -> ThreadState:
    """Return ``state`` for a run that goes on: with what answers it, else all of it again."""
    if not replies:
        return again(state, _in_hand(graph, state, ns))
    return deliver(state, replies, released=state.checkpoint.id)


def _command(
    graph: Graph, state: ThreadState | None, start: Start, limits: Limits, ns: str
) -> Generator[Request, Any, Ahead]:
    command: Command[Any] = start.given
    caller_write = read_caller_write(graph, command)
    if command.resume is None and caller_write is None:
        msg = "Received an empty Command(): give it resume=, update= or goto=."
        raise EmptyInputError(msg)
    existing = _existing(graph, state, start)
    if start.at and command.resume is None:
        return (yield from _run_again(graph, existing, caller_write, limits, ns))
    replies, opened = _answered(existing, start, ns)
    if opened is None:
        opened = _reopened(graph, existing, replies, ns)
    opened = add_caller_write(opened, caller_write)
    ahead = _ahead(graph, opened, limits, ns)
    yield GoOn(opened, how_to_go_on(existing, replies), replies, caller_write, ahead.move)
    return ahead


def _answered(
    state: ThreadState, start: Start, ns: str
) -> tuple[tuple[Reply, ...], ThreadState | None]:
    """Return what a command answers, and the state where all of an older checkpoint runs again."""
    value, at = start.given.resume, state.checkpoint.id
    again = bind_again(state, value, ns) if start.at and value is not None else None
    if again is None:
        late = given_by(expired(state, start.now), start.now)
        ids = {reply.answer.id for reply in late}
        again = bind(state, value, ids) if value is not None else ()
        again = (*given_by(again, start.now, start.by), *late)
        if again or not start.at:
            return again, None
    else:
        again = given_by(again, start.now, start.by)
    return again, ThreadState(state.checkpoint, answers=given_answers(state, again), released=at)


def read_caller_write(graph: Graph, command: Command[Any]) -> Completed | None:
    """Return a caller's update and gotos; InvalidUpdateError for one to a parent graph."""
    if command.update is None and not command.goto:
        return None
    try:
        return read_return(graph, START, replace(command, resume=None), graph.channels.keys())
    except ParentCommand:
        msg = "There is no parent graph"
        raise InvalidUpdateError(msg) from None
