"""How a listener comes back to where it was in a run's events."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands, events
from checkpoint_redis.events import StreamEvent
from checkpoint_redis.layout import RunEvent, StepEvent
from distgraph.effects import Tell

from .effects import Effect
from .marks import SEEN, Position
from .retelling import ROOT, Follower, tell, tell_gap

ENTRIES = 200
"""How many events are read at once."""


def returned(at: Follower, seen: Position) -> Generator[Effect, Any, bool]:
    """Stand where the listener got to, or tell that this place is gone; True at the run's end.

    What the superstep did up to there is told once more, as what was seen.
    """
    found = yield from _back_to_step(at, seen.id)
    if not found:
        at.after = seen.id
        yield from tell_gap(at)
        at.after = at.begun.after
        return False
    at.after = seen.id
    for event in found[:-1]:
        yield Tell(Position(event.id, SEEN))
        yield from tell(at, event)
    at.number = found[-1].number
    yield Tell(seen)
    return (yield from tell(at, found[-1]))


def _back_to_step(at: Follower, entry: str) -> Generator[Effect, Any, list[StreamEvent]]:
    """Return the run's events from the last superstep's beginning up to ``entry``; [] = gone."""
    found: list[StreamEvent] = []
    upto = entry
    while True:
        page = yield commands.events_back(at.of.thread, upto, ENTRIES)
        for event in map(events.decode, page):
            if event.run != at.of.run or (not found and event.id != entry):
                return []
            found.append(event)
            if isinstance(event.payload, StepEvent | RunEvent) and event.frame == ROOT:
                return found[::-1]
        if not page:
            return []
        upto = f"({found[-1].id}"
