"""How ends and events are waited for, together with all others that this process waits for."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from checkpoint_redis import commands, keys
from checkpoint_redis.events import EntryId, decode_end
from checkpoint_redis.layout import AwaitedRow
from distgraph.errors import RunTimeout, StoreError, StoreUnavailable

from .effects import AwaitEnd, AwaitEvents, Effect, Flow, Read, Rest, Wait
from .ends import Waiter
from .listeners import Listener
from .reader import Party, Reader, ToRead, Turn
from .unserved import warn_if_unserved
from .watched import Watched

FIRST_LOOK, LOOK_EVERY = 5.0, 15.0
"""So many seconds after the first one began to wait, and then, it is asked what became of runs."""
# What ends need not be told at once: a read is begun anew after a twentieth of the time that who
# came last has waited, at most after this many seconds.
PATIENCE, LONGEST_WAIT = 0.05, 0.02
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""How long to wait after a read that failed, and after many in succession, on an average."""
FAIL_OVER = 30.0
"""For how many seconds who waits bears that Redis cannot be asked: until a replica took over."""
SHORT = 0.2
"""For how many seconds a read waits at most while other streams wait for their turn."""
ENDS = 10_000
"""How many ends of a shard are read at once when nothing else is."""


def awaited(reader: Reader, need: AwaitEnd) -> Flow:
    """Wait until the run has ended, or is not carried any more; RunTimeout, StoreError."""
    now = time.monotonic()
    waiter = reader.wait(need.of, need.since, now, now + FIRST_LOOK)
    try:
        if waiter.missed:
            yield from _catch_up(reader, waiter)
        yield from _served(reader, waiter, need)
    finally:
        reader.leave(waiter)
    _raise(waiter)


def listened(reader: Reader, need: AwaitEvents) -> Flow:
    """Return events after the one that is known; none when the listener has to look; StoreError."""
    listener = need.listener
    reader.stand(listener, need.after)
    try:
        yield from _served(reader, listener, None)
    finally:
        reader.rest(listener)
    _raise(listener)
    return reader.take(listener)


def listen(reader: Reader, of: Watched) -> Listener:
    """Begin to listen to a thread's events."""
    now = time.monotonic()
    return reader.listen(of, now, now + FIRST_LOOK)


def _raise(party: Party) -> None:
    """Raise what somebody else met who read for this one: each raises an exception of his own."""
    if party.error is not None:
        error, party.error = party.error, None
        raise type(error)(*error.args) from None


def _catch_up(reader: Reader, waiter: Waiter) -> Generator[Effect, Any, None]:
    """Look for what was read before ``waiter`` came, but after its run began."""
    shard = waiter.of.thread.shard
    found = yield commands.ends_after(reader.namespace, shard, _name(waiter.since), ENDS)
    reader.ended({shard: [decode_end(each) for each in found]})


def _served(reader: Reader, party: Party, need: AwaitEnd | None) -> Generator[Effect, Any, None]:
    while not party.served:
        if party.look_by <= time.monotonic():
            party.look_by = math.inf
            with suppress(StoreUnavailable):  # it is but a hint for who waits
                yield from warn_if_unserved(party.of.served, reader.namespace, party.of.run)
        match reader.turn(party):
            case Turn.rest:
                yield Rest(party.bell, _rest(party, need))
            case Turn.wake:
                yield from _wake(reader, need)
            case ToRead() as reading:
                yield from _read(reader, party, reading, need)


def _wake(reader: Reader, need: AwaitEnd | None) -> Generator[Effect, Any, None]:
    """Have the read begun anew, with what this one waits for."""
    try:
        yield commands.wake(reader.wake)
    except StoreUnavailable:
        if not reader.bears(time.monotonic(), FAIL_OVER):
            raise
        reader.not_woken()
        yield from _pause(reader, need)


def _rest(party: Party, need: AwaitEnd | None) -> float | None:
    """Return for how long ``party`` may rest unless somebody rings: until his look, or deadline."""
    look, left = party.look_by - time.monotonic(), _left(need)
    until = look if left is None else min(left, look)
    return None if until == math.inf else max(0.0, until)


def _left(need: AwaitEnd | None) -> float | None:
    """Return for how long the caller still waits."""
    if need is None or need.deadline is None:
        return None
    left = need.deadline - time.monotonic()
    if left <= 0:
        msg = f"Run {need.of.run} did not finish in time. It goes on: wait again, or cancel it."
        raise RunTimeout(msg)
    return left


def _read(
    reader: Reader, party: Party, reading: ToRead, need: AwaitEnd | None
) -> Generator[Effect, Any, None]:
    shards = {keys.ends(reader.namespace, shard): shard for shard in reading.ends}
    after = {key: _name(reading.ends[shard]) for key, shard in shards.items()}
    after |= {stream: _name(known) for stream, known in reading.streams.items()}
    after[reader.wake] = reading.woken
    count = reading.entries if reading.streams else ENDS
    try:
        found = yield Read(after, _block(reader, party, reading, need), count)
        if found is None:
            yield from _bear_loss(reader, need)
            return
        woken = found.pop(reader.wake, None)
        ended = {shard: found.pop(key) for key, shard in shards.items() if key in found}
        reader.took(reading, found, woken)
        reader.ended({shard: list(map(decode_end, ended[shard])) for shard in ended})
        if ended and not found and not woken and not party.served:
            yield Wait(min(LONGEST_WAIT, PATIENCE * (time.monotonic() - reader.ends.joined)))
        if reader.look_at <= time.monotonic():
            yield from _could_look(reader)
    except StoreError as error:
        reader.broke(error)
        raise


def _name(entry: EntryId) -> str:
    return "{}-{}".format(*entry)


def _block(reader: Reader, party: Party, reading: ToRead, need: AwaitEnd | None) -> int:
    """Return for how many milliseconds a read may wait: until the next look, or the deadline."""
    look_at = min(reader.look_at, party.look_by)
    until_look = SHORT if reading.short else look_at - time.monotonic()
    left = _left(need)
    return max(1, int(1000 * (until_look if left is None else min(until_look, left))))


def _bear_loss(reader: Reader, need: AwaitEnd | None) -> Generator[Effect, Any, None]:
    """Wait after a read that failed, longer each time; after the first one look what is there."""
    reader.was_lost()
    is_to_look = reader.lost == 1 or reader.look_at <= time.monotonic()
    if is_to_look and (yield from _could_look(reader)):
        reader.shaken()
    yield from _pause(reader, need)


def _could_look(reader: Reader) -> Generator[Effect, Any, bool]:
    """Look what is there; False when that cannot be asked, and is to be asked again soon."""
    try:
        yield from _look(reader)
    except StoreUnavailable:
        if not reader.bears(time.monotonic(), FAIL_OVER):
            raise
        reader.look_at = time.monotonic()
        return False
    return True


def _pause(reader: Reader, need: AwaitEnd | None) -> Generator[Effect, Any, None]:
    pause, left = _length(reader.lost), _left(need)
    yield Wait(pause if left is None else min(pause, left))


def _length(lost: int) -> float:
    """Return how many seconds to wait after so many losses."""
    mean = min(LONGEST_PAUSE, math.ldexp(FIRST_PAUSE, min(lost, 10)))
    return mean * random.uniform(0.5, 1.5)  # noqa: S311 only a jitter


def _look(reader: Reader) -> Generator[Effect, Any, None]:
    """Ask of all runs whether they are carried: an end may have been trimmed, or lost."""
    reader.look_at = time.monotonic() + LOOK_EVERY
    for shard, runs in reader.questions():
        rows = tuple(AwaitedRow(x, run) for x, run in runs)
        carried = yield commands.carried(reader.namespace, shard, rows)
        pairs = zip(runs, carried, strict=True)
        reader.not_carried(frozenset(run for run, is_carried in pairs if not is_carried))
    for of in reader.one_of_each_graph():
        yield from warn_if_unserved(of.served, reader.namespace, of.run)
