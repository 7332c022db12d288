"""Lists of threads, the last changed first: what the shards have of some sets, merged."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from checkpoint_redis import about, commands
from checkpoint_redis.about import Sought
from checkpoint_redis.keys import SHARDS
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.readings import ListCount, Listed, ListPage

from .effects import Effect, Together

STATUSES = tuple(status.value for status in ThreadStatus)
LOOKED = 10_000
"""So many threads are looked at for metadata that no set is kept of."""
_CURSOR = re.compile(r"([0-9]{1,15})-([a-z2-7]{24})")
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the threads of a list have: a status, a graph, metadata, a time of their last change."""

    status: str | None = None
    graph: str | None = None
    metadata: Mapping[str, Any] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def sought(self, metadata_keys: tuple[str, ...]) -> Sought:
        """Return what is looked for; ValueError or TypeError for what nobody can look for."""
        self._check()
        having = tuple(about.piece(name, value) for name, value in (self.metadata or {}).items())
        return Sought(self._sets(metadata_keys), having, _ms(self.since), _ms(self.until))

    def _check(self) -> None:
        if self.status is not None and self.status not in STATUSES:
            msg = f"Unknown status {self.status!r}: {', '.join(STATUSES)}."
            raise ValueError(msg)
        metadata = dict(self.metadata or {})
        if about.kept(metadata) != metadata:
            msg = (
                f"metadata must be at most {about.MOST} strings, numbers or bools by name, of at "
                f"most {about.LONGEST} characters: others are not kept with a thread."
            )
            raise TypeError(msg)
        for name, when in (("since", self.since), ("until", self.until)):
            if when is not None and when.tzinfo is None:
                msg = f"{name} must have a time zone, as in datetime.now(UTC), not {when!r}."
                raise ValueError(msg)

    def _sets(self, metadata_keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the sets that its threads are in."""
        marks = about.marks(self.metadata or {}, metadata_keys)
        status = () if self.status is None else (about.by_status(self.status),)
        graph = () if self.graph is None else (about.by_graph(self.graph),)
        return (*status, *graph, *map(about.by_mark, marks)) or (about.ALL,)

    def apart(self, metadata_keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of the metadata no sets are kept of."""
        return tuple(sorted((self.metadata or {}).keys() - set(metadata_keys)))


def _ms(when: datetime | None) -> str:
    """Return a time as scripts have it: what is in the middle of a millisecond is after it."""
    if when is None:
        return ""
    return str(max(0, -((_EPOCH - when) // timedelta(milliseconds=1))))


@dataclass(slots=True)
class Bound:
    """How many threads are still looked at for metadata that no set is kept of."""

    apart: tuple[str, ...]
    metadata_keys: tuple[str, ...]
    looked: int = 0

    def check(self) -> None:
        """Raise ValueError when it is reached, before more are looked at."""
        if self.apart and self.looked >= LOOKED:
            raise ValueError(_not_found(self.apart, self.metadata_keys))


def list_threads(
    namespace: str, wanted: Wanted, limit: int, after: str, metadata_keys: tuple[str, ...]
) -> Generator[Effect, Any, list[Listed]]:
    """Return a page of threads; ValueError for what nobody can look for, or cannot be found so."""
    sought, count = wanted.sought(metadata_keys), 8 + 2 * limit // SHARDS
    check_cursor(after)
    reached = dict.fromkeys(range(SHARDS), after)
    page: list[Listed] = []
    bound = Bound(wanted.apart(metadata_keys), metadata_keys)
    while shards := _to_ask(page, limit, reached):
        bound.check()
        looks = tuple(commands.threads(namespace, n, sought, reached[n], count) for n in shards)
        pages: tuple[ListPage, ...] = yield Together(looks)
        bound.looked += sum(found.looked for found in pages)
        for shard, found in zip(shards, pages, strict=True):
            reached[shard] = found.place
            page += found.threads
        reached = {shard: place for shard, place in reached.items() if place}
        page = sorted(page, key=_place_of, reverse=True)[:limit]
    return page


def count_threads(
    namespace: str, wanted: Wanted, metadata_keys: tuple[str, ...]
) -> Generator[Effect, Any, int]:
    """Return how many threads there are; raises what ``list_threads`` does."""
    sought = wanted.sought(metadata_keys)
    reached = dict.fromkeys(range(SHARDS), "")
    bound = Bound(wanted.apart(metadata_keys), metadata_keys)
    total = 0
    while reached:
        bound.check()
        looks = tuple(commands.count(namespace, n, sought, reached[n]) for n in reached)
        counts: tuple[ListCount, ...] = yield Together(looks)
        bound.looked += sum(found.looked for found in counts)
        total += sum(found.threads for found in counts)
        reached = {n: found.place for n, found in zip(reached, counts, strict=True) if found.place}
    return total


def check_cursor(after: str) -> None:
    """Raise ValueError for what is not the cursor of a thread."""
    if after and not _CURSOR.fullmatch(after):
        msg = f"{after[:60]!r} is not the cursor of a thread in a list."
        raise ValueError(msg)


def _to_ask(page: list[Listed], limit: int, reached: Mapping[int, str]) -> list[int]:
    """Return the shards that may have threads before the end of the page."""
    if len(page) < limit:
        return list(reached)
    last = _place_of(page[-1])
    return [shard for shard, place in reached.items() if _place(place) > last]


def _place_of(listed: Listed) -> tuple[int, str]:
    return listed.upd, listed.x


def _place(cursor: str) -> tuple[int, str]:
    updated, _, x = cursor.partition("-")
    return int(updated), x


def _not_found(apart: tuple[str, ...], metadata_keys: tuple[str, ...]) -> str:
    return (
        f"Threads are not found by their metadata {', '.join(map(repr, apart))} alone: there are "
        f"more to look at after {LOOKED:,} of them. Narrow it by status, graph, time or one of "
        f"{', '.join(metadata_keys) or 'the metadata_keys'}, or name the key in the setting "
        "metadata_keys before the threads start."
    )
