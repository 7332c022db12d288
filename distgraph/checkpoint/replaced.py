"""Checkpoints that a run leaves which is to leave its last one alone, but stores each all the same.

Workers store each superstep before the next one begins, whatever the durability of a run is. With
``durability="exit"`` a checkpoint says in its metadata which run made it, and has the parent of the
one of that run in whose place it comes; that one is listed no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from distgraph.checkpoint.base.frames import task_of
from distgraph.core.model import ENDED, EXIT, ROUND, Checkpoint

Maker = tuple[str, str]
"""Which run made a checkpoint, and in a graph inside a task which round of it."""


def maker_of(metadata: Mapping[str, Any]) -> Maker | None:
    """Return who made a checkpoint; None where each that it made is to be seen."""
    if EXIT not in metadata:
        return None
    return str(metadata[EXIT]), str(metadata.get(ROUND, ""))


def in_place_of(before: Checkpoint, new: Checkpoint, *, finished: bool = False) -> Checkpoint:
    """Return ``new``, a successor of ``before``, in whose place it comes if one run made both.

    ``finished``: with it the run is over, or the call of a graph inside a task.
    """
    maker = maker_of(new.metadata)
    if maker is None:
        return new
    if finished:
        new = replace(new, metadata={**new.metadata, ENDED: True})
    return replace(new, parent_id=before.parent_id) if maker == maker_of(before.metadata) else new


class LastOfRuns:
    """Tells of the checkpoints of frames, newest first, which are to be seen."""

    def __init__(self) -> None:
        self._makers = set[tuple[str, Maker]]()

    def has(self, ns: str, metadata: Mapping[str, Any]) -> bool:
        """Whether a checkpoint of the frame ``ns`` is seen.

        Of a graph that goes with its task the one is not with which it finished.
        """
        maker = maker_of(metadata)
        if maker is None:
            return True
        is_last = (ns, maker) not in self._makers
        self._makers.add((ns, maker))
        return is_last and not (ENDED in metadata and task_of(ns))
