"""What a move is, and the parts of a system that it changes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from tests.model.around import (
    asked_in,
)
from tests.model.state import (
    Nonce,
    Scenario,
    Store,
    System,
    frame_at,
    index_of,
)


class Move(NamedTuple):
    """One thing that may happen; the way out of any state needs no ``fault``.

    ``label``: what is said of it, or its parts: it is made millions of times, and told a few.
    """

    label: str | tuple[Any, ...]
    fault: bool
    after: System

    @property
    def said(self) -> str:
        """What is said of it."""
        return self.label if isinstance(self.label, str) else " ".join(map(str, self.label))


def current(scenario: Scenario, system: System) -> System:
    """Return the system without what makes no difference where graphs are frames.

    That is messages that nobody can take now: what is queued later has messages of its own, or
    sweeps publish them. And a client sees each question at once, since it may answer at any time.
    """
    if not scenario.frames or scenario.without in {"epoch", "around"}:
        return system
    store = system.store
    asked = asked_in(scenario, frame_at(store, 0)) if store.st in "RS" else frozenset()
    # A fail-over brings back what has been.
    stores = [each for each in (store, system.replica) if each is not None]
    messages = frozenset(
        m for m in system.messages if any(_is_waited_for(each, m) for each in stores)
    )
    if messages == system.messages and asked <= system.known:
        return system
    return system._replace(messages=messages, known=system.known | asked)


def _is_waited_for(store: Store, message: Nonce) -> bool:
    kind, ep, *tid = message
    frame = store.frames[index_of(ep)]
    if frame is None or frame.ep != ep:
        return False
    return frame.tasks[tid[0]].st == "Q" if kind == "T" else frame.adv == ("Q",)


def placed(system: System, index: int, work: Nonce, store: Store | None = None) -> System:
    """Return the system with other work for a worker, and what that made of the store.

    Workers are interchangeable: in a fixed order, the same sets of them are the same state.
    """
    workers = [*system.workers[:index], work, *system.workers[index + 1 :]]
    return system._replace(workers=tuple(sorted(workers, key=_order)), store=store or system.store)


@lru_cache(maxsize=100_000)
def _order(work: Nonce) -> str:
    return repr(work)


def with_message(system: System, message: Nonce) -> System:
    """Return the system with a message in the broker."""
    return system._replace(messages=system.messages | {message})


def without(system: System, message: Nonce) -> System:
    """Return the system without it."""
    return system._replace(messages=system.messages - {message})
