"""Reads raw replies; what has not the expected form is a CorruptRecord."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from checkpoint_redis.replies import Context, FrameHead, OutboxEntry
from distgraph.errors import CorruptRecord

P = ParamSpec("P")
T = TypeVar("T")


def checked(read: Callable[P, T]) -> Callable[P, T]:
    """Turn whatever goes wrong in reading into one error that says so."""

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise CorruptRecord(
                f"Redis holds a record that this version cannot read ({error!r}). Was it written "
                "by another version, or by hand?"
            ) from error

    return reading


def text(raw: bytes | None) -> str:
    return raw.decode() if raw else ""


def number(raw: bytes | int | None) -> int:
    return int(raw or 0)


def pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}


def record(raw: bytes) -> list[Any]:
    value = json.loads(raw)
    if not isinstance(value, list):
        raise TypeError(f"not an array: {raw[:40]!r}")
    return value


def blobs(raw: Sequence[bytes]) -> tuple[bytes, ...]:
    if any(blob is None for blob in raw):
        raise LookupError("a blob is missing")
    return tuple(raw)


def items(raw: bytes) -> tuple[bytes, ...]:
    """Read what frozen.lua's `text_of` wrote: the list and each item begin with their length."""
    count, _, rest = raw.partition(b":")
    found = []
    for _ in range(int(count)):
        length, _, rest = rest.partition(b":")
        found.append(rest[: int(length)])
        rest = rest[int(length) :]
    if rest:
        raise ValueError(f"not a list of blobs: {raw[:40]!r}")
    return tuple(found)


def hints(raw: Sequence[Sequence[Any]]) -> tuple[OutboxEntry, ...]:
    return tuple(
        OutboxEntry(text(ns), text(ep), text(tid), text(queue), number(priority))
        for ns, ep, tid, queue, priority in raw
    )


def context(raw: Sequence[Any]) -> Context:
    h, cfg, written, checkpoint, channels = raw
    head = FrameHead(
        graph=text(h[0]),
        fp=text(h[1]),
        run=text(h[2]),
        cp=text(h[3]),
        step=number(h[4]),
        stop=number(h[5]),
        modes=text(h[6]),
        thread_id=thread_id(h[7]),
        queue=text(h[8]),
        released=text(h[9]),
        active=number(h[11]),
    )
    return Context(head, cfg or b"", blobs(written), checkpoint, named(channels))


def thread_id(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "surrogatepass")


def named(flat: Sequence[Any]) -> Mapping[str, bytes | None]:
    return {text(flat[i]): flat[i + 1] for i in range(0, len(flat), 2)}
