"""Commands of stores: items by namespace and key, as ``kept`` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkpoint_redis import kept
from checkpoint_redis.commands.read import checked
from checkpoint_redis.commands.script import Script
from checkpoint_redis.kept import KeptItem, KeptPage, KeptPlace
from checkpoint_redis.layout import KeptField


def put_item(place: KeptPlace, value: bytes, vectors: bytes, ttl_ms: int | None) -> Script[bool]:
    """Keep an item for ``ttl_ms``, None for ever."""
    ttl = b"" if ttl_ms is None else str(ttl_ms).encode()
    return Script("put_item", (place.home,), (*place[1:], value, vectors, ttl), bool)


def drop_item(place: KeptPlace) -> Script[bool]:
    """Remove an item, if it is there."""
    return Script("drop_item", (place.home,), place[1:], bool)


def get_item(place: KeptPlace, *, refresh: bool) -> Script[KeptItem | None]:
    """Read an item, whose time begins anew with ``refresh``; None when there is none."""

    @checked
    def read(raw: Any) -> KeptItem | None:
        if raw is None:
            return None
        value, created, updated = raw
        return KeptItem(place.space, place.key, value, int(created), int(updated))

    return Script("get_item", (place.home,), (*place[1:], b"1" if refresh else b""), read)


def below(
    home: str, space: bytes, after: tuple[bytes, bytes], limit: int, *, vectors: bool
) -> Script[KeptPage]:
    """Read items of a shard below a namespace, in the order of namespaces and of when they came.

    ``after`` is where the page before ended, ``kept.START`` at first. A page may have less than
    ``limit`` items, and none, and others follow.
    """
    wanted = KeptField.vectors if vectors else ""
    args = (*kept.bounds(space), *after, str(limit).encode(), wanted.encode())
    return Script("below", (home,), args, _page)


def spaces(home: str, space: bytes, after: bytes) -> Script[tuple[bytes, ...]]:
    """Read the namespaces of a shard that begin with ``space``, those behind ``after``."""
    first, last = kept.bounds(space)
    return Script("spaces", (home,), (b"(" + after if after else first, last), tuple)


@checked
def _page(raw: Any) -> KeptPage:
    space, place, found = raw
    return KeptPage((space, place) if place else None, tuple(map(_item, found)))


def _item(raw: Sequence[Any]) -> KeptItem:
    space, key, value, created, updated, ttl, *vectors = raw
    times = int(created), int(updated)
    return KeptItem(space, key, value, *times, lapses=bool(ttl), vectors=b"".join(vectors))
