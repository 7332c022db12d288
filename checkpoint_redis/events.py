"""Reads entries of a thread's event stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.commands.read import checked, row
from checkpoint_redis.layout import (
    AskEvent,
    CustomEvent,
    EndEvent,
    EventField,
    EventKind,
    FailEvent,
    RunEvent,
    StepEvent,
    TaskEvent,
)

Entry = tuple[bytes, Mapping[bytes, bytes]]

_KIND, _PAYLOAD, _BLOB, _REF = (
    field.encode()
    for field in (EventField.kind, EventField.payload, EventField.blob, EventField.ref)
)

_PAYLOADS: Mapping[str, type[tuple[Any, ...]]] = {
    EventKind.run: RunEvent,
    EventKind.step: StepEvent,
    EventKind.task: TaskEvent,
    EventKind.ask: AskEvent,
    EventKind.retry: TaskEvent,
    EventKind.fail: FailEvent,
    EventKind.ended: EndEvent,
    EventKind.custom: CustomEvent,
}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event, with the payload of its kind; of a kind that is not known, any tuple.

    ``ref`` names the field of the thread's event blobs that holds a payload too large for the
    stream; ``blob`` is then empty.
    """

    id: str
    kind: str
    payload: tuple[Any, ...]
    blob: bytes = b""
    ref: str = ""


def is_end(entry: Entry) -> bool:
    """Whether an entry tells the end of a run, without reading all of it."""
    return entry[-1].get(_KIND) == EventKind.ended.encode()


@checked
def decode(entry: Entry) -> StreamEvent:
    """Read an entry as redis-py's XREAD and XRANGE give it."""
    name, fields = entry
    kind = fields[_KIND].decode()
    return StreamEvent(
        id=name.decode(),
        kind=kind,
        payload=_payload(kind, json.loads(fields[_PAYLOAD])),
        blob=fields.get(_BLOB, b""),
        ref=fields.get(_REF, b"").decode(),
    )


def _payload(kind: str, fields: list[Any]) -> tuple[Any, ...]:
    known = _PAYLOADS.get(kind)
    return tuple(fields) if known is None else row(known, fields)
