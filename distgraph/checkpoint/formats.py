"""One number for the form of everything that is stored, and the one of each kind of record.

A change of any kind's form raises FORMAT, and gives that kind the new number in WRITTEN; what reads
the older form is then a function in ``upgrades``. Every record begins with its kind's number, so
that "newer than this version" is never taken for "damaged".
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

FORMAT = 1
"""The highest number that this version writes, and the highest that it reads."""


class Kind(StrEnum):
    """The kinds of records, as messages name them."""

    checkpoint = "checkpoint"
    result = "result"
    answer = "answer"
    line = "line of a list"
    excerpt = "write that is in a list"
    saved = "checkpoint of a saver"
    log = "pending write"
    config = "run config"
    call = "call of a graph"
    task = "task"
    # Those that scripts write.
    row = "state of a task"
    question = "question"
    run = "run"
    event = "event"


WRITTEN: dict[Kind, int] = dict.fromkeys(Kind, 1)
"""Of each kind the number under which its form was last changed."""


@cache
def release() -> str:
    """Return which release of distgraph this is."""
    # Imported here: what it needs takes as long to import as a third of distgraph.
    from importlib.metadata import version  # noqa: PLC0415

    return version("distgraph")
