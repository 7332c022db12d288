"""Commands about the server and about the namespace as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked, pairs, text
from checkpoint_redis.commands.script import Plain, Script
from checkpoint_redis.layout import Format
from checkpoint_redis.sightings import RedisInfo
from distgraph.errors import StoreError


def meta(namespace: str, install_id: str) -> Script[str]:
    """Return the installation id of a namespace, ``install_id`` when it is new.

    StoreError when another version of the format, or another number of shards, is stored there.
    """

    @checked
    def read(raw: Any) -> str:
        version, shards, found = (text(part) for part in raw)
        if (version, shards) != (Format.version, str(keys.SHARDS)):
            raise StoreError(
                f"The namespace '{namespace}' holds threads in format {version or '?'} with "
                f"{shards or '?'} shards; this version reads format {Format.version} with "
                f"{keys.SHARDS}. Use the version that wrote them, or another namespace."
            )
        return found

    args = (Format.version.encode(), str(keys.SHARDS).encode(), install_id.encode())
    return Script("meta", (keys.meta(namespace),), args, read)


def info() -> Plain[RedisInfo]:
    """Read version, memory and persistence; an unknown value is ''."""
    return Plain(("INFO",), _info)


def policy() -> Plain[str]:
    """Read what the server does when it is full: everything but noeviction loses threads."""
    return Plain(("CONFIG", "GET", "maxmemory-policy"), _policy)


@checked
def _info(raw: Any) -> RedisInfo:
    known = raw if isinstance(raw, Mapping) else dict(_lines(text(raw)))
    return RedisInfo(
        version=str(known.get("redis_version", "")),
        policy=str(known.get("maxmemory_policy", "")),
        appendonly=str(known.get("aof_enabled", "")) == "1",
        used_bytes=int(known.get("used_memory", 0)),
        max_bytes=int(known.get("maxmemory", 0)),
    )


def _lines(info: str) -> list[tuple[str, str]]:
    named = (line.partition(":") for line in info.splitlines() if ":" in line)
    return [(name, value) for name, _, value in named]


@checked
def _policy(raw: Any) -> str:
    known = raw if isinstance(raw, Mapping) else pairs(raw)
    (value,) = known.values()
    return value if isinstance(value, str) else text(value)
