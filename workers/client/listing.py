"""Lists of threads, the last changed first: what the shards have of some sets, merged."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from checkpoint_redis import about, commands
from checkpoint_redis.keys import SHARDS
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.replies import Header, Listed

from .effects import Effect, Together

STATUSES = tuple(status.value for status in ThreadStatus)
LOOKED = 10_000
"""So many threads are looked at for metadata that no set is kept of."""
_CURSOR = re.compile(r"([0-9]{1,15})-([a-z2-7]{24})")


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One line of a list of threads; ``cursor`` is where the list goes on behind it.

    ``updated`` is when a run began or ended, or the state was written; ``metadata`` the scalars of
    the config of the last start that brought some.
    """

    id: str
    status: str
    graph: str
    run: str
    created: datetime
    updated: datetime
    metadata: Mapping[str, Any]
    cursor: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of a list: what its threads have, the cursor behind which it begins, its length."""

    status: str | None
    graph: str | None
    metadata: Mapping[str, Any]
    after: str
    limit: int

    def check(self) -> None:
        """Raise ValueError, or TypeError for metadata, for what nobody can look for."""
        if self.status is not None and self.status not in STATUSES:
            msg = f"Unknown status {self.status!r}: {', '.join(STATUSES)}."
            raise ValueError(msg)
        if self.after and not _CURSOR.fullmatch(self.after):
            msg = f"{self.after[:60]!r} is not the cursor of a thread in a list."
            raise ValueError(msg)
        if about.kept(self.metadata) != dict(self.metadata):
            msg = (
                f"metadata must be at most {about.MOST} strings, numbers or bools by name, of at "
                f"most {about.LONGEST} characters: others are not kept with a thread."
            )
            raise TypeError(msg)

    def sets(self, metadata_keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the sets that its threads are in."""
        marks = about.marks(self.metadata, metadata_keys)
        status = () if self.status is None else (about.by_status(self.status),)
        graph = () if self.graph is None else (about.by_graph(self.graph),)
        return (*status, *graph, *map(about.by_mark, marks)) or (about.ALL,)

    def fits(self, listed: Listed) -> bool:
        """Whether a thread in those sets has all the metadata."""
        known = listed.metadata
        return all(about.same(known.get(name), value) for name, value in self.metadata.items())


def list_threads(
    namespace: str, wanted: Wanted, metadata_keys: tuple[str, ...]
) -> Generator[Effect, Any, list[ThreadInfo]]:
    """Return a page of threads; ValueError for what nobody can look for, or cannot be found so."""
    wanted.check()
    sets, count = wanted.sets(metadata_keys), 8 + 2 * wanted.limit // SHARDS
    apart = sorted(wanted.metadata.keys() - set(metadata_keys))
    reached = dict.fromkeys(range(SHARDS), wanted.after)
    page: list[Listed] = []
    looked = 0
    while shards := _to_ask(page, wanted.limit, reached):
        if apart and looked >= LOOKED:
            raise ValueError(_not_found(apart, metadata_keys))
        looks = tuple(commands.threads(namespace, n, sets, reached[n], count) for n in shards)
        pages = yield Together(looks)
        for shard, (place, found) in zip(shards, pages, strict=True):
            reached[shard] = place
            looked += len(found)
            page += filter(wanted.fits, found)
        reached = {shard: place for shard, place in reached.items() if place}
        page = sorted(page, key=_place_of, reverse=True)[: wanted.limit]
    return [_info(listed) for listed in page]


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


def _not_found(apart: list[str], metadata_keys: tuple[str, ...]) -> str:
    return (
        f"Threads are not found by their metadata {', '.join(map(repr, apart))} alone: the page is "
        f"not full after {LOOKED:,} of them. Narrow it by status, graph or one of "
        f"{', '.join(metadata_keys) or 'the metadata_keys'}, or name the key in the setting "
        "metadata_keys before the threads start."
    )


def info_of(header: Header, x: str) -> ThreadInfo:
    """Return the line of the thread with ``header``."""
    return _info(
        Listed(
            *(x, header.thread_id, header.graph, header.run, header.st),
            *(header.created, header.upd, header.metadata),
        )
    )


def _info(listed: Listed) -> ThreadInfo:
    created, updated = moment(listed.created), moment(listed.upd)
    return ThreadInfo(
        *(listed.thread_id, listed.st.value, listed.graph, listed.run),
        *(created, updated, listed.metadata, listed.place),
    )


def moment(ms: int) -> datetime:
    """Return a time of Redis as people have it."""
    return datetime.fromtimestamp(ms / 1000, UTC)
