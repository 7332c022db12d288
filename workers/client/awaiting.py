"""How the end of a run is waited for, together with all others that this process waits for."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands, keys
from checkpoint_redis.events import decode_end
from checkpoint_redis.layout import AwaitedRow
from distgraph.errors import RunTimeout, StoreError
from workers.client.effects import AwaitEnd, Effect, Flow, Read, Rest, Wait
from workers.client.ends import Ends, ToRead, Waiter
from workers.client.unserved import warn_if_unserved

FIRST_LOOK, LOOK_EVERY = 5.0, 15.0
"""So many seconds after the first one began to wait, and then, it is asked what became of runs."""
# What ends need not be told at once: a read is begun anew after a twentieth of the time that who
# came last has waited, at most after this many seconds.
PATIENCE, LONGEST_WAIT = 0.05, 0.02
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""How long to wait after a read that failed, and after many in succession."""


def awaited(ends: Ends, need: AwaitEnd) -> Flow:
    """Wait until the run has ended, or is not carried any more; RunTimeout, StoreError."""
    now = time.monotonic()
    waiter = ends.join(need.of, need.since, now, now + FIRST_LOOK)
    try:
        while not waiter.told:
            reading = ends.turn(waiter)
            if reading is None:
                yield Rest(waiter.bell, _left(need))
            else:
                yield from _read(ends, waiter, reading, need)
    finally:
        ends.leave(waiter)
    if waiter.error is not None:
        raise type(waiter.error)(*waiter.error.args) from waiter.error


def _left(need: AwaitEnd) -> float | None:
    """Return for how long the caller still waits."""
    if need.deadline is None:
        return None
    left = need.deadline - time.monotonic()
    if left <= 0:
        msg = f"Run {need.of.run} did not finish in time. It goes on: wait again, or cancel it."
        raise RunTimeout(msg)
    return left


def _read(
    ends: Ends, waiter: Waiter, reading: ToRead, need: AwaitEnd
) -> Generator[Effect, Any, None]:
    streams = {keys.ends(ends.namespace, shard): shard for shard in reading.after}
    after = {key: "{}-{}".format(*reading.after[shard]) for key, shard in streams.items()}
    found = yield Read(after, _block(ends, need) if reading.waits else None, count=10_000)
    if found is None:
        waiter.caught_up = waiter.caught_up and reading.waits
        yield from _bear_loss(ends, need)
        return
    ends.lost = 0
    ends.took({streams[key]: [decode_end(each) for each in found[key]] for key in found})
    if not waiter.told and ends.leads(waiter):
        if found:
            yield Wait(min(LONGEST_WAIT, PATIENCE * (time.monotonic() - ends.joined)))
        if ends.look_at <= time.monotonic():
            yield from _look(ends)


def _block(ends: Ends, need: AwaitEnd) -> int:
    """Return for how many milliseconds a read may wait: until the next look, or the deadline."""
    until_look = ends.look_at - time.monotonic()
    left = _left(need)
    return max(1, int(1000 * (until_look if left is None else min(until_look, left))))


def _bear_loss(ends: Ends, need: AwaitEnd) -> Generator[Effect, Any, None]:
    """Wait after a read that failed, longer each time; after the first one look what is there."""
    ends.lost += 1
    if ends.lost == 1 or ends.look_at <= time.monotonic():
        yield from _look(ends)
    pause, left = min(LONGEST_PAUSE, FIRST_PAUSE * 2**ends.lost), _left(need)
    yield Wait(pause if left is None else min(pause, left))


def _look(ends: Ends) -> Generator[Effect, Any, None]:
    """Ask of all runs whether they are carried: an end may have been trimmed, or lost."""
    ends.look_at = time.monotonic() + LOOK_EVERY
    try:
        for shard, waiters in ends.questions():
            rows = tuple(AwaitedRow(each.of.thread.x, each.of.run) for each in waiters)
            carried = yield commands.carried(ends.namespace, shard, rows)
            pairs = zip(waiters, carried, strict=True)
            ends.not_carried(waiter for waiter, is_carried in pairs if not is_carried)
        for waiter in ends.one_of_each_graph():
            yield from warn_if_unserved(waiter.of.served, ends.namespace, waiter.of.run)
    except StoreError as error:
        ends.broke(error)
        raise
