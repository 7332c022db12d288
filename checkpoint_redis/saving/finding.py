"""Where the checkpoints of a thread are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import Field
from checkpoint_redis.saving.steps import Steps
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base import get_checkpoint_id
from distgraph.checkpoint.base.config import coordinates_of

PAGE = 50
"""So many checkpoints of one frame are listed at once."""


@dataclass(frozen=True, slots=True, order=True)
class Located:
    """Where a checkpoint is; sorts by its id."""

    cp: str
    ns: str
    x: str

    @property
    def frame(self) -> str:
        """What Redis knows its frame by."""
        return FrameName(self.ns).hash


@dataclass(frozen=True, slots=True)
class Page:
    """Some checkpoints; the ``following`` ones are before that, None where these are the last."""

    found: tuple[Located, ...]
    following: Mapping[str, Any] | None = None


def places(
    archive: Archive, config: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Steps[Page]:
    """Return where the checkpoints are that ``config`` may mean, newest first."""
    older_than = get_checkpoint_id(before) if before else None
    place = coordinates_of(config) if config else None
    ns = config["configurable"].get("checkpoint_ns") if config else None
    if place is not None and ns is not None and not place.checkpoint_id:
        thread = archive.thread(place.thread_id)
        ids = yield commands.history(thread, FrameName(ns).hash, older_than or "", PAGE)
        return Page(
            tuple(Located(cp, ns, thread.x) for cp in ids),
            {"configurable": {"checkpoint_id": ids[-1]}} if len(ids) == PAGE else None,
        )
    threads = (
        (yield from all_threads(archive.namespace))
        if place is None
        else {archive.thread(place.thread_id)}
    )
    found = []
    for thread in threads:
        for each in (yield from of_thread(thread))[1]:
            right_id = place is None or place.checkpoint_id in (None, each.cp)
            right_ns = ns is None or ns == each.ns
            if right_id and right_ns and (older_than is None or each.cp < older_than):
                found.append(each)
    return Page(tuple(sorted(found, reverse=True)))


def all_threads(namespace: str) -> Steps[set[Thread]]:
    cursor, found = 0, set[Thread]()
    while True:
        cursor, part = yield commands.scan(namespace, cursor)
        found |= set(part)
        if cursor == 0:
            return found


def of_thread(thread: Thread) -> Steps[tuple[set[str], list[Located]]]:
    """Return every field of the thread's checkpoint key, and the checkpoints among them."""
    cursor, names = 0, set[str]()
    while True:
        cursor, part = yield commands.fields(thread, cursor)
        names |= set(part)
        if cursor == 0:
            break
    frames: dict[str, str] = {"": "", **(yield commands.frames(thread))}
    found = (name for name in names if name.startswith(Field.checkpoint))
    parts = (name.removeprefix(Field.checkpoint).partition("|") for name in found)
    # One that is not named was removed in this moment.
    here = (Located(cp, frames[ns], thread.x) for ns, _, cp in parts if ns in frames)
    return names, sorted(here)
