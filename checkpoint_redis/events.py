"""Reads entries of a thread's event stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.commands.read import checked, row, text
from checkpoint_redis.layout import (
    AskEvent,
    CustomEvent,
    EndEvent,
    EndField,
    EventField,
    EventKind,
    FailEvent,
    RetryEvent,
    RunEvent,
    StepEvent,
    TaskEvent,
)

Entry = tuple[bytes, Mapping[bytes, bytes]]
EntryId = tuple[int, int]

_KIND, _NUMBER, _RUN, _FRAME, _PAYLOAD, _BLOB = (field.encode() for field in EventField)

_END = (EndField.thread, EndField.run, EndField.status)

_PAYLOADS: Mapping[str, type[tuple[Any, ...]]] = {
    EventKind.run: RunEvent,
    EventKind.step: StepEvent,
    EventKind.task: TaskEvent,
    EventKind.ask: AskEvent,
    EventKind.retry: RetryEvent,
    EventKind.fail: FailEvent,
    EventKind.ended: EndEvent,
    EventKind.custom: CustomEvent,
    EventKind.inner: CustomEvent,
}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event, with the payload of its kind; of a kind that is not known, any tuple.

    ``id`` is that of the stream; ``number`` counts the events of the thread, from 1 on and without
    a gap; ``run`` is the one that was under way; ``frame`` is '' for the root graph.
    """

    id: str
    number: int
    kind: str
    run: str
    frame: str
    payload: tuple[Any, ...]
    blob: bytes = b""


@checked
def decode(entry: Entry) -> StreamEvent:
    """Read an entry as redis-py's XREAD and XRANGE give it."""
    name, fields = entry
    kind = fields[_KIND].decode()
    return StreamEvent(
        id=name.decode(),
        number=int(fields[_NUMBER]),
        kind=kind,
        run=text(fields[_RUN]),
        frame=text(fields[_FRAME]),
        payload=_payload(kind, json.loads(fields[_PAYLOAD])),
        blob=fields.get(_BLOB, b""),
    )


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run that ended, as the stream of its shard has it; ``x``: its thread."""

    id: EntryId
    x: str
    run: str
    status: str


@checked
def decode_end(entry: Entry) -> RunEnd:
    """Read an entry of a shard's stream of ends."""
    name, fields = entry
    x, run, status = (text(fields[field.encode()]) for field in _END)
    return RunEnd(entry_id(name.decode()), x, run, status)


def entry_id(name: str) -> EntryId:
    """Read the id of an entry, which is milliseconds and a number."""
    ms, _, number = name.partition("-")
    return int(ms), int(number)


def _payload(kind: str, fields: list[Any]) -> tuple[Any, ...]:
    known = _PAYLOADS.get(kind)
    return tuple(fields) if known is None else row(known, fields)
