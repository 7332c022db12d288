"""How a run ended: what is told of it, and what there is to say when nothing is known."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import islice
from typing import Any

from checkpoint_redis import commands, loading
from checkpoint_redis.layout import RunStatus, ThreadStatus
from checkpoint_redis.readings import Loaded, RunOutcome
from distgraph.core.model import (
    Errored,
    Failed,
    Finished,
    Interrupted,
    Outcome,
    Paused,
    ThreadState,
)
from distgraph.core.plan import plan, with_caller_writes
from distgraph.core.recorded import during
from distgraph.effects import Tell
from distgraph.errors import CorruptRecord, RunCancelled, StoreError, ThreadNotFound
from distgraph.events import Concluded

from .effects import Effect, Over
from .reading import load_state, state_of
from .watched import Watched

ENDED = frozenset((RunStatus.success, RunStatus.interrupted, RunStatus.error, RunStatus.cancelled))


def conclude(of: Watched, status: str, cp: str) -> Generator[Effect, Any, None]:
    """Tell how the run ended, at its own last checkpoint: a later run may have moved the thread."""
    refuse_cancelled(of, status)
    yield Over(of.thread)
    _, state = yield from load_state(of.served.wire, of.thread, cp)
    error = (yield from outcome_of(of)).error if status == RunStatus.error else b""
    yield Tell(Concluded("", state, _outcome(of, status, error, state)))


def concluded_at_head(of: Watched) -> Generator[Effect, Any, bool]:
    """Tell how the run ended, if the thread still stands where it left it."""
    loaded: Loaded | None = yield from loading.load(of.thread)
    if loaded is None or loaded.run is None or loaded.header.run != of.run:
        return False
    if loaded.run.status not in ENDED:
        return False
    refuse_cancelled(of, loaded.run.status)
    yield Over(of.thread)
    state = yield from state_of(of.served.wire, of.thread, loaded)
    found = _outcome(of, loaded.run.status, loaded.run.error, state)
    yield Tell(Concluded("", state, found))
    return True


def outcome_of(of: Watched) -> Generator[Effect, Any, RunOutcome]:
    """Return how the run stands; ThreadNotFound when that is not known."""
    outcome: RunOutcome | None = yield commands.outcome(of.thread, of.run)
    if outcome is None:
        msg = f"Run {of.run} is not known: its thread was deleted, or Redis lost its data."
        raise ThreadNotFound(msg)
    return outcome


def refuse_to_wait_for_nobody(of: Watched) -> Generator[Effect, Any, None]:
    """Raise when nothing can end the run any more.

    A thread leaves a run in the script that writes its outcome, so an outcome that is read after
    the thread was seen without the run is the last word.
    """
    header = yield commands.header(of.thread)
    if header is not None and header.st is ThreadStatus.busy and header.run == of.run:
        return
    outcome = yield commands.outcome(of.thread, of.run)
    if outcome is not None and outcome.status is RunStatus.pending:
        stands = "gone" if header is None else f"{header.st}, its last run is '{header.run}'"
        msg = (
            f"Run {of.run} has no outcome, and nothing carries it any more: thread "
            f"{of.thread.thread_id!r} is {stands}. Look at its state and start a new run."
        )
        raise StoreError(msg)


def refuse_cancelled(of: Watched, status: str) -> None:
    if status == RunStatus.cancelled:
        msg = f"Run {of.run} was cancelled."
        raise RunCancelled(msg)


def _outcome(of: Watched, status: str, error: bytes, state: ThreadState | None) -> Outcome:
    match status:
        case RunStatus.success:
            return Finished()
        case RunStatus.interrupted:
            return Paused(_questions(of, state))
        case RunStatus.error:
            return Failed(_failure(of, error, state))
        case _:
            msg = f"Run {of.run} ended with a status that this version does not know: {status}"
            raise CorruptRecord(msg)


def _failure(of: Watched, error: bytes, state: ThreadState | None) -> Errored:
    if error:
        return _named(of, of.served.wire.read_error(error), state)
    msg = f"Run {of.run} failed; other runs came after it, and its error is not kept."
    raise StoreError(msg)


def _named(of: Watched, error: Errored, state: ThreadState | None) -> Errored:
    """Return the failure of a run with its node noted, also where who recorded it knew of none.

    Whoever finds that the workers of a task vanish reads nothing of what it runs.
    """
    if error.notes or state is None:
        return error
    tasks = plan(with_caller_writes(of.served.graph, state))
    failed = (task for task in tasks if state.results.get(task.id) == error)
    return replace(error, notes=tuple(during(task) for task in islice(failed, 1)))


def _questions(of: Watched, state: ThreadState | None) -> tuple[Any, ...]:
    if state is None:
        return ()
    opened = with_caller_writes(of.served.graph, state)
    asked = [state.results.get(task.id) for task in plan(opened)]
    return tuple(q for result in asked if isinstance(result, Interrupted) for q in result.questions)
