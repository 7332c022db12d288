"""Runs attempts under their leases: coroutines on the process's loop, the rest one by one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from checkpoint_redis.records import Lease
from distgraph.core.model import Result
from distgraph.core.recorded import errored
from distgraph.errors import JobFailed

from ..broker.eager import wait_for
from ..shared.hints import Hint
from .attempt import Attempt, give_up, settle
from .desk import Desk
from .django import closing_what_it_opens
from .failures import out_of_time, revoked, told_to_end
from .forked import end_child
from .functions import arun_attempt, run_attempt
from .leases import Leases
from .limits import PoolLimit
from .overrun import abandon

EARLY = 0.1
"""Seconds that a pool may begin to count before the job does."""


def run_all(desk: Desk, attempts: Sequence[Attempt]) -> tuple[JobFailed, ...]:
    """Start the coroutines, then run the rest one by one; those that wait keep their leases too.

    One whose lease was lost while it waited is not begun: it was cancelled, or is another's. Return
    what failed of the rest.
    """
    leases = desk.office.leases
    blocking = {desk.lease(a.task.id): a for a in attempts if not a.node.needs_loop}
    failures = []
    with leases.holding(*blocking):
        for attempt in attempts:
            if attempt.node.needs_loop:
                _spawn(desk, attempt)
        for lease, attempt in blocking.items():
            if leases.holds(lease):
                failures.append(_run(attempt))
                leases.drop(lease)
    return tuple(failed for failed in failures if failed is not None)


def _run(attempt: Attempt) -> JobFailed | None:
    """Run a node; whatever else fails around it is the task's failure too.

    A node that did not end by itself has left nothing: the exception goes on that ends the worker.
    """
    try:
        return settle(attempt, _left_by(attempt))
    except BaseException as error:  # noqa: BLE001 any of our own, or of a class of the state
        return give_up(attempt, error)


def _left_by(attempt: Attempt) -> Result:
    pid = os.getpid()
    if isinstance(limit := attempt.frame.limit, PoolLimit):
        limit.overrun = partial(abandon, attempt)
    result = run_attempt(attempt)
    end_child(pid, result)
    ended, desk = told_to_end(result), attempt.opened.desk
    if ended is None:
        return result
    most = desk.office.time_limit
    if most and time.monotonic() - desk.began >= most - EARLY:
        return errored(out_of_time(attempt.task.node, most))
    if desk.office.bulletin.is_revoked(os.getpid()):
        return errored(revoked(attempt.task.node))
    raise ended


def _spawn(desk: Desk, attempt: Attempt) -> None:
    leases, lease = desk.office.leases, desk.lease(attempt.task.id)
    leases.add(lease)
    spawned = desk.office.loop.spawn(_run_async(attempt, lease))
    if spawned is None:
        leases.drop(lease)
        desk.give_back(lease.tid, attempt.label)
    else:
        wait_for(spawned)


async def _run_async(attempt: Attempt, lease: Lease) -> None:
    """Run a coroutine node; the lease, not a pool slot, is its right to run.

    Its job has returned, so Celery is told apart that it failed.
    """
    failed, leases = None, attempt.opened.desk.office.leases
    try:
        if leases.begin(lease, _canceller()):
            failed = await _settle_async(attempt, lease, leases)
    except (asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 any of our own, or of a class of the state
        failed = await asyncio.to_thread(give_up, attempt, error)
    finally:
        leases.drop(lease)
    if failed is not None:
        desk = attempt.opened.desk
        asked = Hint(desk.thread.x, desk.ns, desk.ep, (attempt.task.id,))
        await asyncio.to_thread(desk.office.report, desk.job, asked, failed)


def _canceller() -> Callable[[], None]:
    """Return what cancels this coroutine, from any thread."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)

    return cancel


async def _settle_async(attempt: Attempt, lease: Lease, leases: Leases) -> JobFailed | None:
    pid = os.getpid()
    result = await closing_what_it_opens(partial(arun_attempt, attempt))
    end_child(pid, result)
    # A node that has cancelled its own task would cancel what follows in its place.
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    if not leases.holds(lease):
        return None
    # Here, and not in a thread that others wait for.
    await asyncio.wrap_future(attempt.emitter.sent())
    return await asyncio.to_thread(settle, attempt, result)
