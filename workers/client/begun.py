"""A run as whoever started it has it."""

from __future__ import annotations

from dataclasses import dataclass

from distgraph.core.model import Outcome, ThreadState


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is under way, or over: ``after`` is the id of the last event before its first.

    ``state`` is where it started from. ``outcome`` is there when nothing had to be started.
    """

    run: str
    after: str
    state: ThreadState | None
    outcome: Outcome | None = None
