"""What a task wrote, with the ids that items without one get: the same in each attempt at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from distgraph.channels.base import BaseChannel
from distgraph.core.model import Completed, Write


def identified(channels: Mapping[str, BaseChannel], task_id: str, done: Completed) -> Completed:
    """Return the result of a task as it is told and stored."""
    for key, _ in done.writes:
        if channels[key].identify is not None:
            return replace(done, writes=tuple(_identified(channels, task_id, done)))
    return done


def _identified(
    channels: Mapping[str, BaseChannel], task_id: str, done: Completed
) -> Iterator[Write]:
    for place, (key, value) in enumerate(done.writes):
        identify = channels[key].identify
        yield key, value if identify is None else identify(value, f"{task_id}/{place}")
