"""Gives back what a process holds and will not finish."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import TaskState
from checkpoint_redis.records import Lease
from checkpoint_redis.replies import Released
from distgraph.errors import DistGraphError

from ..shared.hints import Hint, outgoing
from .failures import worker_lost
from .naming import TakenTask, called
from .office import Office
from .telling import tell_failed, tell_handed_over, tell_lost

log: Final = logging.getLogger(__name__)
HURRY = 0.5
"""Seconds that a coroutine gets to end once it was cancelled."""


def release(office: Office, hint: Hint, *, given_back: bool) -> None:
    """Queue again what a pool process of this worker held that is gone.

    ``given_back``: because the worker ends, which is no loss.
    """
    _release(office, hint, office.overdue.lost, given_back=given_back)


def hand_over(office: Office, hint: Hint) -> None:
    """Give back the tasks of a job that ends because its worker was told to; others go on.

    Coroutines of the job are not part of that: they go on until their process ends.
    """
    going_on = {lease.tid for lease in office.leases.of_coroutines() if lease.ep == hint.ep}
    _give_back(office, replace(hint, tids=tuple(t for t in hint.tids if t not in going_on)))


def wind_up(office: Office, within: Callable[[], float] = lambda: math.inf) -> None:
    """Let the coroutines of a process end that goes, and give back those that do not in time.

    The grace bounds that. A task that this worker has cut short once to make place, while it goes
    on itself, is waited for the next time: else it would begin again for ever. A blocking job keeps
    its lease: the pool waits for it, and nobody else may run it meanwhile. After ``within`` seconds
    all is left as it is.
    """
    began, bulletin = time.monotonic(), office.bulletin

    def left() -> float:
        until = bulletin.ends_at or began + office.settings.longest_grace
        return min(until - time.monotonic(), within())

    def left_if_ending() -> float:
        return min((bulletin.ends_at or math.inf) - time.monotonic(), within())

    if office.loop.drain(left) or within() <= 0:
        return
    if bulletin.ends_at is None:
        _cut_short(office, [each for each in _coroutines(office) if not bulletin.was_cut(each.tid)])
        if office.loop.drain(left_if_ending) or within() <= 0:
            return
    _cut_short(office, _coroutines(office))


def _coroutines(office: Office) -> Sequence[Lease]:
    return office.leases.of_coroutines()


def _cut_short(office: Office, leases: Sequence[Lease]) -> None:
    """End coroutines and give back their tasks."""
    for lease in leases:
        office.leases.stop(lease)
    if leases:
        hurried = time.monotonic() + HURRY
        office.loop.drain(lambda: hurried - time.monotonic())
    for lease in leases:
        _give_back(office, Hint(lease.x, lease.ns, lease.ep, (lease.tid,)))


def _give_back(office: Office, held: Hint) -> None:
    try:
        _release(office, held, b"", given_back=True)
    except DistGraphError as error:
        log.warning("A task waits for its lease to run out: %s", error)


def _release(office: Office, held: Hint, lost: bytes, *, given_back: bool) -> None:
    done = office.ledger().release(
        Thread.from_x(office.settings.namespace, held.x),
        held.ns,
        held.ep,
        held.tids,
        owner=office.owner,
        max_lost=office.settings.max_lost,
        lost=lost,
        given_back=given_back,
    )
    taken = () if done.status == "gone" else _taken(office, held, done, given_back=given_back)
    office.publisher.publish(outgoing(held.x, (*done.hints, *done.up), called(taken)))
    for each in taken:
        if given_back:
            tell_handed_over(each.subject)
        elif each.state is TaskState.failed:
            tell_failed(each.subject, worker_lost(office.settings.max_lost))
        elif done.status == "released":
            tell_lost(each.subject)


def _taken(
    office: Office, held: Hint, done: Released, *, given_back: bool
) -> tuple[TakenTask, ...]:
    """Find whose attempts go on elsewhere, or were the last."""
    if done.status == "released":
        held = replace(held, tids=tuple(hint.tid for hint in done.hints))
    return tuple(office.overdue.taken_from([held], given_back=given_back))
