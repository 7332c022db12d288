"""Removing threads, and checkpoints with what only they refer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from checkpoint_redis import commands, loading, removing
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread, checkpoint_field
from checkpoint_redis.layout import Field
from checkpoint_redis.readings import Header
from checkpoint_redis.records import NewHead
from checkpoint_redis.replies import Changed
from checkpoint_redis.saving.finding import Located, all_threads, of_thread
from checkpoint_redis.saving.steps import ATTEMPTS, Steps, check, nonce
from checkpoint_redis.saving.unused import bundles_of, unused
from checkpoint_redis.stored import Archive
from distgraph.checkpoint.base.frames import with_orphans

FORGOTTEN = 1_000
"""So many fields are removed at once."""


def delete_thread(archive: Archive, thread_id: str) -> Steps[None]:
    """Remove everything of a thread, also what workers are about to do."""
    yield from removing.delete(archive.thread(thread_id))


def prune(archive: Archive, thread_id: str) -> Steps[None]:
    """Keep the latest checkpoint of each namespace."""

    def doomed(found: list[Located], blobs: Mapping[Located, bytes]) -> set[Located]:
        del blobs
        latest = {each.ns: each for each in found}
        return set(found) - set(latest.values())

    yield from _forget(archive, archive.thread(thread_id), doomed)


def delete_for_runs(archive: Archive, run_ids: Sequence[str]) -> Steps[None]:
    """Delete the checkpoints whose metadata name one of the runs, in all threads."""
    runs = set(map(str, run_ids))

    def doomed(found: list[Located], blobs: Mapping[Located, bytes]) -> set[Located]:
        return {each for each in found if archive.metadata(blobs[each]).get("run_id") in runs}

    for thread in (yield from all_threads(archive.namespace)):
        yield from _forget(archive, thread, doomed)


def _forget(archive: Archive, thread: Thread, doomed: Any) -> Steps[None]:
    """Remove the checkpoints that ``doomed`` chooses, and what nothing refers to any more."""
    changed = Changed("conflict")
    for attempt in range(ATTEMPTS):
        header: Header | None = yield commands.header(thread)
        names, found = yield from of_thread(thread)
        if header is None or not found:
            return
        blobs = yield from _blobs(thread, found)
        kept = [each for each in found if each in blobs]
        gone = _doomed(archive, blobs, doomed(kept, blobs))
        # Another one came between the slices: what is left of the first ones is nobody's any more.
        if not gone and not attempt:
            return
        if len(gone) == len(kept):
            changed = yield from removing.delete(thread, header.ep)
        else:
            noted = yield from _noted(thread, names, {each for each in kept if each not in gone})
            fields, heads = unused(archive, names, blobs, gone, noted)
            bundles = bundles_of(archive, blobs)
            slices = _slices(sorted(fields, key=lambda field: (_rank(field), field)))
            unsent = _unsent(slices, bundles, gone)
            changed = yield from _forget_fields(thread, slices, heads, header.ep, unsent)
        if changed.status != "conflict":
            break
    if changed.status != "missing":
        check(changed, thread)


def _forget_fields(
    thread: Thread,
    slices: list[tuple[str, ...]],
    heads: tuple[NewHead, ...],
    ep: str,
    unsent: Mapping[int, Mapping[str, Mapping[str, int]]],
) -> Steps[Changed]:
    """Remove fields in slices, each with an epoch of its own, and then what they leave to nobody.

    Checkpoints go before what they refer to, and how many records a log has before the records;
    the oldest go first, so that what another command finds in between has the newest ones. Bundles
    are set aside by the script with which their last checkpoint goes: where this ends in between,
    sweeps or the next removal take them.
    """
    changed: Changed = Changed("ok")
    for number, part in enumerate(slices):
        aside = yield from _set_aside(thread, unsent.get(number, {}))
        new_ep = nonce()
        changed = yield commands.forget(thread, part, heads, ep=ep, new_ep=new_ep, aside=aside)
        if changed.status != "ok":
            return changed
        ep, heads = new_ep, ()
    if unsent:
        yield from _discard(thread)
    return changed


def _discard(thread: Thread) -> Steps[None]:
    """Remove what was put aside, also by a removal that ended in between."""
    while (yield commands.discard(thread)).status == "more":
        pass


def _set_aside(thread: Thread, unsent: Mapping[str, Mapping[str, int]]) -> Steps[tuple[str, ...]]:
    """Set aside what is ``unsent`` of each frame; return the names under which it stands."""
    names = {f"{frame}.{nonce()}": sizes for frame, sizes in unsent.items()}
    for name, sizes in names.items():
        for some in _slices(list(sizes)):
            yield commands.set_aside(thread, name, {bundle: sizes[bundle] for bundle in some})
    return tuple(names)


def _unsent(
    slices: list[tuple[str, ...]],
    bundles: Mapping[Located, Mapping[tuple[str, str], int]],
    gone: set[Located],
) -> dict[int, dict[str, dict[str, int]]]:
    """Return the bundles of no checkpoint that stays: slice -> frame -> name -> size.

    Each with the slice in which the last checkpoint goes that refers to it.
    """
    at = {field: number for number, part in enumerate(slices) for field in part}
    kept = {key for each in bundles if each not in gone for key in bundles[each]}
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for each in gone:
        number = at[checkpoint_field(each.frame, each.cp)]
        for key in bundles[each].keys() - kept:
            last[key] = max((number, bundles[each][key]), last.get(key, (0, 0)))
    found: dict[int, dict[str, dict[str, int]]] = {}
    for (frame, bundle), (number, size) in last.items():
        found.setdefault(number, {}).setdefault(frame, {})[bundle] = size
    return found


def _noted(thread: Thread, names: set[str], kept: set[Located]) -> Steps[set[tuple[str, str]]]:
    """Return the frames and names of the values in which parts of logs stand that are kept."""
    owners = {f"{each.frame}|{each.cp}" for each in kept}
    fields = {
        name: place[: place.index("|")]
        for name in names
        if name.startswith(Field.log) and name.rpartition("|")[-1].isdigit()
        for place in [name.removeprefix(Field.log).rpartition("|")[0]]
        if place in owners
    }
    records = yield from loading.values(partial(commands.log, thread), list(fields))
    return {
        (fields[name], value)
        for name, record in records.items()
        if record
        for value in commands.values_in(record)
    }


def _slices(names: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(names[at : at + FORGOTTEN]) for at in range(0, len(names), FORGOTTEN)]


def _rank(field: str) -> int:
    """Return which fields go first: who reads between two slices must find what is referred to."""
    if field.startswith(Field.checkpoint):
        return 0
    counts = field.startswith(Field.log) and not field.rpartition("|")[-1].isdigit()
    return 1 if counts else 2


def _doomed(archive: Archive, blobs: Mapping[Located, bytes], gone: set[Located]) -> set[Located]:
    """Return the checkpoints to be removed, with those of graphs that were called from them."""
    found = {each: (each.ns, each.cp) for each in blobs}
    return with_orphans(found, gone, lambda each: archive.metadata(blobs[each]).get("parents", {}))


def _blobs(thread: Thread, found: list[Located]) -> Steps[dict[Located, bytes]]:
    blobs: dict[Located, bytes] = {}
    for ns in {each.ns for each in found}:
        here = [each for each in found if each.ns == ns]
        ids = [each.cp for each in here]
        read = partial(commands.checkpoints, thread, FrameName(ns).hash)
        got = yield from loading.values(read, ids)
        blobs |= {each: blob for each in here if (blob := got[each.cp])}
    return blobs
