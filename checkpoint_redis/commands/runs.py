"""Commands that read runs: how one stands, and what is left of a thread's last ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from checkpoint_redis import keys
from checkpoint_redis.commands.read import checked, run_record, text
from checkpoint_redis.commands.script import Arguments, Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import LINE_WORDS, Limit, LinePart, RunReply, RunsReply, RunStatus
from checkpoint_redis.readings import RunLine, RunOutcome

_BEGAN = slice(LinePart.began - 1, LinePart.took - 1)
_TOOK = slice(LinePart.took - 1, LinePart.ids - 1)


def outcome(thread: Thread, run: str) -> Script[RunOutcome | None]:
    """Read how a run stands; None when it is not known (any more)."""
    return Arguments().script("outcome", thread, _outcome, run=run)


def runs(thread: Thread) -> Script[tuple[RunLine, ...]]:
    """Read what is known of a thread's last runs, newest first."""
    return Arguments().script("recent", thread, _recent)


def note_run_id(thread: Thread, run: str, *, first: bool) -> Plain[bool]:
    """Note for an hour on which thread a run is; ``first``: unless another one is noted."""
    key, lapses = keys.run_id(thread.namespace, run), ("PX", Limit.record_ms)
    return Plain(("SET", key, thread.x, *lapses, *(("NX",) if first else ())), bool)


def noted_run_id(namespace: str, run: str) -> Plain[str]:
    """Read the hash of the thread that is noted for a run; '' when none is (any more)."""
    return Plain(("GET", keys.run_id(namespace, run)), _hash)


@checked
def _hash(raw: Any) -> str:
    return text(raw) if raw else ""


@checked
def _outcome(raw: Any) -> RunOutcome | None:
    found = RunReply._make(raw)
    if record := run_record(found.record):
        return RunOutcome(record.status, record.cp, record.error, found.now, record)
    if found.line:
        line = _line(found.line)
        return RunOutcome(line.status, line.cp, b"", found.now, line=line)
    if not found.joined:
        return None
    return RunOutcome(RunStatus.joined, text(found.joined), b"", found.now)


@checked
def _recent(raw: Any) -> tuple[RunLine, ...]:
    if raw is None:
        return ()
    found = RunsReply._make(raw)
    record, older = run_record(found.record), tuple(_lines(found.lines or b""))
    if record is None:
        return older
    times = record.began, record.ended
    last = RunLine(text(found.run), record.kind, record.status, record.cp, *times, record.by)
    return (last, *older)


def _lines(raw: bytes) -> Iterator[RunLine]:
    at = 0
    while at < len(raw):
        end = at + 1 + raw[at]
        yield _line(raw[at:end])
        at = end


def _line(raw: bytes) -> RunLine:
    status, kind = (LINE_WORDS[raw[at - 1] - 1] for at in (LinePart.status, LinePart.kind))
    began = int.from_bytes(raw[_BEGAN])
    run, at = _id(raw, LinePart.ids - 1)
    cp, at = _id(raw, at)
    by = raw[at:].decode(errors="ignore")  # it may end within a character
    return RunLine(run, kind, RunStatus(status), cp, began, began + int.from_bytes(raw[_TOOK]), by)


def _id(raw: bytes, at: int) -> tuple[str, int]:
    """Read an id, and where the next part begins."""
    if raw[at] != LinePart.uuid:
        end = at + 1 + raw[at]
        return text(raw[at + 1 : end]), end
    end = at + 1 + LinePart.uuid_bytes
    return str(uuid.UUID(bytes=raw[at + 1 : end])), end
