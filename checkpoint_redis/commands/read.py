"""Reads raw replies; what has not the expected form is a CorruptRecord."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

from checkpoint_redis import references
from checkpoint_redis.layout import (
    KINDS,
    ContextReply,
    FrameInfoRow,
    HeadRow,
    HintRow,
    PartReply,
    RunRow,
    RunStatus,
)
from checkpoint_redis.readings import CallerWrites, Context, FrameHead, FrameInfo, RunRecord
from checkpoint_redis.references import Extent
from checkpoint_redis.replies import OutboxEntry
from distgraph._brief import brief
from distgraph.checkpoint.upgrades import upgraded
from distgraph.errors import CorruptRecord

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row", bound=tuple[Any, ...])


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
    """Read a text, which may have half a character: an id or a key that a caller chose."""
    return raw.decode("utf-8", "surrogatepass") if raw else ""


def number(raw: bytes | int | None) -> int:
    return int(raw or 0)


def word(raw: Sequence[Any]) -> str:
    """Return the first item of an answer, which says what it is."""
    first, *_ = raw
    return text(first)


@checked
def flags(raw: Any) -> tuple[bool, ...]:
    return tuple(bool(each) for each in raw)


def pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {text(flat[i]): flat[i + 1] for i in range(0, len(flat), 2)}


def record(raw: bytes) -> list[Any]:
    value = json.loads(raw)
    if not isinstance(value, list):
        raise TypeError(f"not an array: {brief(value)}")
    return value


def row(of: type[Row], fields: list[Any]) -> Row:
    """Read a row that a script stored; NewerFormat when this version is too old for it."""
    made: Any = of
    at = made._fields.index("format")
    number, others = fields[at], fields[:at] + fields[at + 1 :]
    today = upgraded(KINDS[of.__name__], number, others)
    read: Row = made._make([*today[:at], number, *today[at:]])
    return read


def blobs(raw: Sequence[bytes | None]) -> tuple[bytes, ...]:
    found = tuple(blob for blob in raw if blob is not None)
    if len(found) < len(raw):
        raise LookupError("a blob is missing")
    return found


def items(raw: bytes) -> tuple[bytes, ...]:
    """Read what frozen.lua's `text_of` wrote: the list and each item begin with their length."""
    found, rest = _list_at(raw, 0)
    if rest < len(raw):
        raise ValueError(f"not a list of blobs: {brief(raw)}")
    return found


def lists(raw: bytes) -> Iterator[tuple[bytes, ...]]:
    """Read such lists that stand one after the other."""
    at = 0
    while at < len(raw):
        found, at = _list_at(raw, at)
        yield found


def _list_at(raw: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    colon = raw.index(b":", at)
    count, at = int(raw[at:colon]), colon + 1
    found = []
    for _ in range(count):
        colon = raw.index(b":", at)
        end = colon + 1 + int(raw[at:colon])
        found.append(raw[colon + 1 : end])
        at = end
    return tuple(found), at


def scanned(raw: Any) -> dict[str, bytes]:
    """Redis-py reads the reply of HSCAN into a dict by itself, under some protocols."""
    return {text(field): raw[field] for field in raw} if isinstance(raw, dict) else pairs(raw)


@lru_cache(maxsize=32)
def run_record(raw: bytes | None) -> RunRecord | None:
    """Read the record of a run, None where there is none.

    Each task of a run is given the same one, and so is who looks how it stands.
    """
    if not raw:
        return None
    fields: list[Any] = list(items(raw))
    at = RunRow._fields.index("format")
    found: Any = row(RunRow, [*fields[:at], int(fields[at]), *fields[at + 1 :]])
    return RunRecord(
        kind=text(found.kind),
        status=RunStatus(text(found.status)),
        cp=text(found.checkpoint),
        began=number(found.began),
        ended=number(found.ended),
        by=text(found.by),
        position=number(found.position),
        origin=text(found.origin),
        released=text(found.released),
        stop=number(found.stop),
        modes=text(found.modes),
        event_id=text(found.events),
        metadata=found.metadata,
        cfg=found.config,
        error=found.error,
    )


def run_under_way(raw: bytes | None) -> RunRecord:
    record = run_record(raw)
    if record is None:
        raise LookupError("the record of the run that is under way is missing")
    return record


def part(raw: Sequence[Any]) -> tuple[int, Any]:
    """Read the next cursor and what came before it, from a script or from Redis' own scans."""
    found = PartReply._make(raw)
    return int(found.cursor), found.part


def hints(raw: Sequence[Sequence[Any]]) -> tuple[OutboxEntry, ...]:
    return tuple(_hint(HintRow._make(each)) for each in raw)


def _hint(row: HintRow) -> OutboxEntry:
    return OutboxEntry(
        ns=text(row.ns),
        ep=text(row.epoch),
        tid=text(row.tid),
        queue=text(row.queue),
        priority=number(row.priority),
    )


def context(raw: Sequence[Any]) -> Context:
    found = ContextReply._make(raw)
    h = HeadRow._make(found.head)
    own = FrameInfoRow._make(found.frame) if found.frame else None
    head = FrameHead(
        graph=text(own.graph if own else h.graph),
        fp=text(own.fingerprint if own else h.fingerprint),
        run=text(h.run),
        cp=text(h.checkpoint),
        step=number(h.step),
        thread_id=text(h.id),
        queue=text(h.queue),
        active=number(found.active),
        frame=frame_info(own, h.graph, h.fingerprint) if own else None,
    )
    return Context(
        head=head,
        run=run_under_way(found.run),
        caller_writes=CallerWrites(blobs(found.caller_writes)),
        checkpoint=found.checkpoint,
        channels=channels(found.channels, found.lines),
        lists=extents(found.lines),
    )


def frame_info(own: FrameInfoRow, root_graph: bytes | None, root_fp: bytes | None) -> FrameInfo:
    return FrameInfo(
        name=text(own.called),
        path=text(own.path),
        stop=number(own.stop),
        released=text(own.released),
        root_graph=text(root_graph),
        root_fp=text(root_fp),
        call=own.call or b"",
    )


def named(flat: Sequence[Any]) -> Mapping[str, bytes | None]:
    return {text(flat[i]): flat[i + 1] for i in range(0, len(flat), 2)}


def extents(flat: Sequence[Any]) -> tuple[Extent, ...]:
    """Read how far lists reach."""
    rows = (flat[i : i + len(Extent._fields)] for i in range(0, len(flat), len(Extent._fields)))
    return tuple(Extent(text(line), number(count), text(check)) for line, count, check in rows)


def channels(flat: Sequence[Any], lines: Sequence[Any]) -> Mapping[str, bytes | None]:
    """Read channels of a frame; None for what did not come, such as segments of ``lines``."""
    return {**dict.fromkeys(references.names(extents(lines))), **named(flat)}
