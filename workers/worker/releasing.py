"""Gives back what a process holds and will not finish."""

from __future__ import annotations

import logging

from checkpoint_redis.keys import Thread
from distgraph.errors import DistGraphError

from ..shared.hints import Hint, outgoing
from .office import Office

log = logging.getLogger(__name__)
GRACE = 5.0
"""Seconds that coroutine jobs get at shutdown before they are given back."""


def release(office: Office, hint: Hint, *, given_back: bool) -> None:
    """Queue again what a pool process of this worker held that is gone.

    ``given_back``: because the worker ends, which is no loss.
    """
    _release(office, hint, office.overdue.lost, given_back=given_back)


def hand_over(office: Office, hint: Hint) -> None:
    """Give back the tasks of a job that ends because its worker was told to; others go on."""
    try:
        _release(office, hint, b"", given_back=True)
    except DistGraphError as error:
        log.warning("A task waits for its lease to run out: %s", error)


def wind_up(office: Office) -> None:
    """Let the coroutine jobs of this process end, and give back those that do not.

    A blocking job keeps its lease: the pool waits for it, and nobody else may run it meanwhile.
    """
    if office.loop.drain(timeout=GRACE):
        return
    for lease in office.leases.of_coroutines():
        held = Hint(lease.x, lease.ns, lease.ep, (lease.tid,))
        try:
            _release(office, held, b"", given_back=True)
        except DistGraphError as error:
            log.warning("A task waits for its lease to run out: %s", error)
            return


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
    office.publisher.publish(outgoing(held.x, done.hints))
