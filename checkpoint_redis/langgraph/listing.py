"""How checkpoints for LangGraph are listed: where they are first, then some at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.serde.base import SerializerProtocol

from checkpoint_redis.langgraph import names, scripts
from checkpoint_redis.langgraph.finding import Talk, tuple_of
from checkpoint_redis.langgraph.names import ThreadKeys
from checkpoint_redis.langgraph.records import metadata_of
from distgraph.checkpoint.base.config import coordinates_of, get_checkpoint_id

NamedThere = tuple[ThreadKeys, str]
"""A thread, and the name of a checkpoint of it."""
_PAGE = 10


class CheckpointListing:
    """One listing of checkpoints, newest first; ``limit``: how many at most.

    ``wanted``: what their metadata must have; what is missing counts as None, as in LangGraph's.
    """

    def __init__(
        self,
        namespace: str,
        serde: SerializerProtocol,
        wanted: Mapping[str, Any] | None,
        limit: int | None,
    ) -> None:
        self._namespace, self._serde = namespace, serde
        self._wanted, self._left = wanted or {}, limit

    def places(
        self, config: Mapping[str, Any] | None, before: Mapping[str, Any] | None
    ) -> Talk[list[NamedThere]]:
        """Read where the checkpoints are that ``config`` may mean."""
        earlier = get_checkpoint_id(before) if before else None
        if not config:
            threads = yield from _all_threads(self._namespace)
            return (yield from _of_threads(threads, earlier))
        place = coordinates_of(config)
        thread = ThreadKeys(self._namespace, place.thread_id)
        if place.checkpoint_id is not None:
            is_earlier = earlier is None or place.checkpoint_id < earlier
            name = names.checkpoint_name(place.ns, place.checkpoint_id)
            return [(thread, name)] if is_earlier else []
        if config["configurable"].get("checkpoint_ns") is None:
            return (yield from _of_threads([thread], earlier))
        limit = None if self._wanted else self._left
        [found] = yield (scripts.names_of(thread, place.ns, earlier, limit),)
        return [(thread, name) for name in found]

    def parts(self, places: Sequence[NamedThere]) -> Iterator[Sequence[NamedThere]]:
        """Yield the places that are to be read at once, for as long as more are wanted."""
        n = 0
        while n < len(places) and (self._left is None or self._left > 0):
            size = _PAGE if self._left is None else min(_PAGE, self._left)
            yield places[n : n + size]
            n += size

    def page(self, asked: Sequence[NamedThere]) -> Talk[list[CheckpointTuple]]:
        """Read the checkpoints in some places, without those that are not wanted."""
        if self._wanted:
            asked = yield from self._matching(asked)
        if not asked:
            return []
        replies = yield tuple(scripts.find(thread, [name]) for thread, name in asked)
        found = [
            tuple_of(self._serde, thread.thread_id, each)
            for (thread, _), some in zip(asked, replies, strict=True)
            for each in some
        ]
        if self._left is not None:
            self._left -= len(found)
        return found

    def _matching(self, asked: Sequence[NamedThere]) -> Talk[list[NamedThere]]:
        replies = yield tuple(
            command
            for thread, name in asked
            for command in scripts.values_of(thread, [names.CHECKPOINT + name])
        )
        pairs = zip(asked, chain.from_iterable(replies), strict=True)
        return [place for place, blob in pairs if blob and self._is_wanted(blob)]

    def _is_wanted(self, blob: bytes) -> bool:
        metadata = metadata_of(blob, self._serde)
        return all(metadata.get(name) == value for name, value in self._wanted.items())


def _all_threads(namespace: str) -> Talk[list[ThreadKeys]]:
    cursor, found = 0, set[str]()
    while True:
        [(cursor, some)] = yield (scripts.scan(namespace, cursor),)
        found |= set(some)
        if not cursor:
            return [ThreadKeys(namespace, each) for each in sorted(found)]


def _of_threads(threads: Sequence[ThreadKeys], before: str | None) -> Talk[list[NamedThere]]:
    """Read where all checkpoints of threads are, of whichever frame."""
    if not threads:
        return []
    replies = yield tuple(scripts.names_of(each, None, None, None) for each in threads)
    found = [(thread, name) for thread, some in zip(threads, replies, strict=True) for name in some]
    earlier = [each for each in found if before is None or _id_of(each) < before]
    return sorted(earlier, key=_id_of, reverse=True)


def _id_of(place: NamedThere) -> str:
    return names.place_of(place[1])[1]
