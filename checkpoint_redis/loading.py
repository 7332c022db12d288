"""Reads what is too long for one script: slices of one moment, and values in portions.

Generators of commands, which a saver or a client carries.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from checkpoint_redis import commands
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.keys import Thread, log_field
from checkpoint_redis.layout import TaskField, ThreadKey
from checkpoint_redis.readings import LeftTask, Loaded
from distgraph.errors import CorruptRecord

T = TypeVar("T")
CHUNK = 500
Slices = Generator[Script[Any] | Plain[Any], Any, T]


def load(
    thread: Thread, ns: str = "", cp: str = "", known: Loaded | None = None
) -> Slices[Loaded | None]:
    """Read a frame at one moment; what is long in slices, anew when it changed meanwhile.

    ``known``: what its first script has answered already.
    """
    loaded = known
    while True:
        if loaded is None:
            loaded = yield commands.load(thread, ns, cp)
        if loaded is None:
            return None
        whole = yield from _whole(thread, ns, cp, loaded)
        if whole is not None:
            return whole
        loaded = None


def _whole(thread: Thread, ns: str, cp: str, loaded: Loaded) -> Slices[Loaded | None]:
    """Return ``loaded`` with what did not come with it, None when it is not so any more."""
    if loaded.logged:
        return (yield from _with_log(thread, ns, cp or loaded.header.cp, loaded))
    if loaded.left != ():
        return replace(loaded, left=(yield from left(thread, ns, cp, loaded.left)))
    if not loaded.wide:
        return loaded
    opened = yield from _open_superstep(thread, ns, loaded.header.ep)
    return commands.with_open(loaded, *opened) if opened else None


def _with_log(thread: Thread, ns: str, cp: str, loaded: Loaded) -> Slices[Loaded | None]:
    """Return ``loaded`` with its whole log, to which records are only added; None: it is gone."""
    fields = [log_field(ns, cp, str(n)) for n in range(len(loaded.log), loaded.logged)]
    rest = yield from values(partial(commands.log, thread), fields)
    records = yield from _whole_records(thread, ns, (*loaded.log, *rest.values()))
    if None not in records:
        return replace(loaded, log=tuple(each for each in records if each is not None))
    again: Loaded | None = yield commands.load(thread, ns, cp, open=False)
    if again is None or (again.header.ep, again.logged) != (loaded.header.ep, loaded.logged):
        return None
    raise CorruptRecord(
        f"Of {loaded.logged} records of what tasks left at checkpoint '{cp}' some are missing: "
        "were they removed by hand?"
    )


def _whole_records(
    thread: Thread, ns: str, records: tuple[bytes | None, ...]
) -> Slices[tuple[bytes | None, ...]]:
    """Return records with what of them stands in values; None for one that is not there."""
    names = [name for each in records if each for name in commands.values_in(each)]
    found = yield from values(partial(commands.channels, thread, ns), tuple(dict.fromkeys(names)))
    return tuple(each and commands.whole(each, found) for each in records)


def left(
    thread: Thread, ns: str, cp: str, found: tuple[LeftTask, ...] | None
) -> Slices[tuple[LeftTask, ...]]:
    """Return what the tasks left that ran from a checkpoint, whole."""
    tasks = (yield from _large(thread, ns, cp)) if found is None else found
    results = yield from _whole_records(thread, ns, tuple(task.result for task in tasks))
    # One that is in a value which was removed is there no more.
    return tuple(
        replace(task, result=result or b"") for task, result in zip(tasks, results, strict=True)
    )


def _large(thread: Thread, ns: str, cp: str) -> Slices[tuple[LeftTask, ...]]:
    """Read what a large superstep left that ran from a checkpoint."""
    cursor, found = 0, list[LeftTask]()
    while True:
        cursor, part = yield commands.large(thread, ns, cp, cursor)
        found += part
        if cursor == 0:
            return tuple(found)


def _open_superstep(
    thread: Thread, ns: str, ep: str
) -> Slices[tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]] | None]:
    """Return tasks, writes and questions of the superstep ``ep``, None when it is over.

    The tasks come last, so that what was read of one is there: a result is never taken back, and a
    question that was answered meanwhile is none any more.
    """
    asked = yield from _part(thread, ns, ep, ThreadKey.questions)
    writes = yield from _part(thread, ns, ep, ThreadKey.writes)
    tasks = yield from _part(thread, ns, ep, ThreadKey.tasks)
    if asked is None or writes is None or tasks is None:
        return None
    still = {tid: asked[tid] for tid in asked if f"{TaskField.question}{tid}" in tasks}
    return tasks, writes, still


def writes(thread: Thread, ns: str, ep: str) -> Slices[Mapping[str, bytes]]:
    """Return the writes of the superstep ``ep``; none when it is over."""
    return (yield from _part(thread, ns, ep, ThreadKey.writes)) or {}


def _part(thread: Thread, ns: str, ep: str, part: ThreadKey) -> Slices[dict[str, bytes] | None]:
    cursor, found = 0, dict[str, bytes]()
    while True:
        answered = yield commands.open_part(thread, ns, ep, part, cursor)
        if answered is None:
            return None
        cursor, fields = answered
        found |= fields
        if cursor == 0:
            return found


def values(
    read: Callable[[tuple[str, ...]], Script[tuple[T, ...]]], names: Sequence[str]
) -> Slices[dict[str, T]]:
    """Return the values of ``names``; one reply holds as many as it may, and at least one."""
    found: dict[str, T] = {}
    left = tuple(names)
    while left:
        got = yield read(left[:CHUNK])
        found |= zip(left, got, strict=False)
        left = left[len(got) :]
    return found
