"""Failures that no node raised: how they are recorded, and which of them pass by themselves."""

from __future__ import annotations

from dataclasses import replace

from billiard.common import TERM_SIGNAL, terminate_handler_fired  # type: ignore[attr-defined]
from celery.exceptions import WorkerShutdown, WorkerTerminate

from distgraph.core.model import Errored, Result, Task
from distgraph.core.recorded import during, errored, said
from distgraph.errors import (
    AdvanceLost,
    BrokerUnavailable,
    GraphBubbleUp,
    NewerFormat,
    NodeExited,
    NodeStopped,
    StoreUnavailable,
    WorkerLost,
)


def may_pass(error: BaseException) -> bool:
    """Whether a later attempt may succeed: Redis or the broker was away, full, or not the master.

    Or a newer worker may read what this one cannot. The lease then runs out and the work is done
    again. A record that cannot be read stays so, and so does what Redis refuses.
    """
    return isinstance(error, StoreUnavailable | NewerFormat | BrokerUnavailable)


def recordable(error: BaseException) -> Exception:
    """Return what is recorded of a failure outside of a node, where a user's code runs too.

    Raises ``error`` itself where it tells that the worker ends, or is a signal of ours.
    """
    if isinstance(error, Exception):
        return error
    if tells_end(error) or isinstance(error, GraphBubbleUp):
        raise error
    told = NodeExited(
        f"Code of the graph outside of its nodes, such as a reducer or a class of its state, "
        f"raised {type(error).__name__}({said(error)}). It may raise an Exception, and never end "
        "its process."
    )
    told.__cause__ = error
    return told


def errored_in(task: Task, error: Exception) -> Errored:
    """Return the record of a failure that no node raised, which names the node all the same."""
    record = errored(error)
    return replace(record, notes=(*record.notes, during(task)))


def tells_end(error: BaseException | None) -> bool:
    """Whether this is what a job meets whose worker was told to end.

    Celery raises such an exception where a worker without processes runs; a process of a pool exits
    at any of the signals that end it, whose handler knows that it was called. A node's own
    ``sys.exit`` is something else.
    """
    if isinstance(error, WorkerShutdown | WorkerTerminate):
        return True
    return isinstance(error, SystemExit) and terminate_handler_fired()


def told_to_end(result: Result) -> BaseException | None:
    """Return what ended a node because its worker was told to end, else None.

    What a node raises while it makes room for that end is none of its failures either.
    """
    if not isinstance(result, Errored):
        return None
    cause = result.exception.__cause__ if result.exception else None
    if tells_end(cause):
        return cause
    return leaving()


def leaving() -> SystemExit | None:
    """Return what this process has to leave with, when a signal told it to and it did not yet."""
    return SystemExit(TERM_SIGNAL - 256) if terminate_handler_fired() else None


def out_of_time(node: str, limit: float) -> NodeStopped:
    """Return the failure of a node that the worker ended for taking too long."""
    return NodeStopped(
        f"Node '{node}' ran into the time limit of its worker, {limit:g} s (task_time_limit, or "
        "--time-limit): raise it, or do less in one node."
    )


def revoked(node: str) -> NodeStopped:
    """Return the failure of a node whose job somebody revoked while it ran."""
    return NodeStopped(
        f"Node '{node}' was ended because its Celery job was revoked (terminate=True). To end a "
        "whole run, cancel it: run.cancel(kill=True)."
    )


def worker_lost(max_lost: int) -> Errored:
    """Return the failure of a task whose workers vanish one after the other."""
    return errored(
        WorkerLost(
            f"The worker that ran this task vanished {max_lost + 1} times: it was killed, out of "
            "memory, ended by os._exit or by closed files in a node, or for longer than its lease "
            "it paused, as a node can that keeps the interpreter to itself, or did not reach Redis "
            "(a longer lease helps). Start a new run or retry the run once the cause is gone."
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
