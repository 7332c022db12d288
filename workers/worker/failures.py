"""Failures that no node raised: how they are recorded, and which of them pass by themselves."""

from __future__ import annotations

import signal

from celery.exceptions import WorkerShutdown, WorkerTerminate

from distgraph.core.execute import said, traceback_of
from distgraph.core.model import Errored, Result
from distgraph.errors import (
    AdvanceLost,
    BrokerUnavailable,
    CorruptRecord,
    NodeExited,
    StoreError,
    WorkerLost,
)

TERMINATED = signal.SIGTERM - 256
"""With what a pool process exits that is told to end."""


def may_pass(error: Exception) -> bool:
    """Whether a later attempt may succeed: Redis or the broker was away, full, or not the master.

    The lease then runs out and the work is done again. A record that cannot be read stays so.
    """
    if isinstance(error, CorruptRecord):
        return False
    return isinstance(error, StoreError | BrokerUnavailable)


def errored(error: Exception) -> Errored:
    """Return the record of a failure that no node raised."""
    return Errored(
        kind=f"{type(error).__module__}.{type(error).__qualname__}",
        message=said(error),
        traceback=traceback_of(error),
        args=error.args,
        exception=error,
    )


def tells_end(error: BaseException | None) -> bool:
    """Whether this is what a job meets whose worker was told to end.

    Celery raises such an exception where a worker without processes runs, billiard exits with such
    a code where a process of its pool does.
    """
    if isinstance(error, WorkerShutdown | WorkerTerminate):
        return True
    return isinstance(error, SystemExit) and error.code == TERMINATED


def told_to_end(result: Result) -> BaseException | None:
    """Return what ended a node because its worker was told to end, else None."""
    cause = result.exception.__cause__ if isinstance(result, Errored) and result.exception else None
    return cause if tells_end(cause) else None


def out_of_time(node: str, limit: float) -> NodeExited:
    """Return the failure of a node that the worker ended for taking too long."""
    return NodeExited(
        f"Node '{node}' ran into the time limit of its worker, {limit:g} s (task_time_limit, or "
        "--time-limit): raise it, or do less in one node."
    )


def worker_lost(max_lost: int) -> Errored:
    """Return the failure of a task whose workers vanish one after the other."""
    return errored(
        WorkerLost(
            f"The worker that ran this task vanished {max_lost + 1} times: it was killed, out of "
            "memory, ended by os._exit in a node, or it paused for longer than its lease, as a "
            "node can that keeps the interpreter to itself (a longer lease helps). Start a new run "
            "or retry the run once the cause is gone."
        )
    )


def advance_lost() -> Errored:
    """Return the failure of a superstep whose reducers vanish one after the other."""
    return errored(
        AdvanceLost(
            "The workers that reduced this superstep vanished one after the other: a reducer, or "
            "the size of the state, kills them."
        )
    )
