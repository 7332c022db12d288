"""What is told of a run beside the engine's events, to who streams it by ids."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass

from distgraph.core.model import ThreadState

_ID = re.compile(r"(\d{1,20}-\d{1,20})(?:\.(\d{1,9}))?")
SEEN = 10**9
"""More chunks than one entry can have."""


@dataclass(frozen=True, slots=True)
class Position:
    """What follows is of the entry ``id``, of whose chunks the first ``seen`` are known already."""

    id: str
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """What came after ``after`` is not kept any more; ``state`` and ``status`` are those of now."""

    after: str
    state: ThreadState | None
    status: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """An attempt at a task is void: what it has streamed is to be forgotten.

    ``ns``: the frame that the task is of; ``node``: what it runs.
    """

    ns: str
    id: str
    node: str
    attempt: int


def position(chunk: object) -> Position:
    """Return how far who has seen ``chunk``, an id of one, has got; ValueError for no id."""
    if not isinstance(chunk, str) or not (found := _ID.fullmatch(chunk)):
        msg = (
            f"after={reprlib.repr(chunk)} is no id of a chunk: pass one that stream(ids=True) gave."
        )
        raise ValueError(msg)
    entry, number = found.groups()
    return Position(entry, SEEN if number is None else int(number) + 1)
