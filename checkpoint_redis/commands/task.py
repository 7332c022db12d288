"""Commands of the hot path: claim, complete, finish, commit, fail."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from checkpoint_redis.commands.loaded import read_loaded
from checkpoint_redis.commands.read import checked, context, hints, number, pairs, text, word
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import (
    AdvanceReply,
    ClaimedRow,
    ClaimReply,
    QuestionRow,
    RefusedRow,
    ResultRow,
    ResultsReply,
    UnservedReply,
)
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import ResultEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import (
    Advance,
    Claimed,
    ClaimedTask,
    Committed,
    Failing,
    Recorded,
    Taken,
)
from distgraph.checkpoint import formats
from distgraph.checkpoint.formats import Kind

NONE: Mapping[str, int] = MappingProxyType({})


def claim(
    thread: Thread,
    ns: str,
    ep: str,
    tids: tuple[str, ...],
    *,
    tok: str,
    owner: str,
    lease_ms: int,
    served: tuple[str, ...],
    known: Mapping[str, int] = NONE,
) -> Script[Claimed]:
    """Take tasks for one attempt; channels over 64 KB in total come as names.

    ``known``: up to which segment the caller has the lines of lists, of which the rest comes.
    """
    return Arguments().script(
        "claim",
        thread,
        _claimed,
        ns=ns,
        ep=ep,
        tids=tids,
        tok=tok,
        owner=owner,
        lease=lease_ms,
        served=served,
        known=dict(known),
    )


def claim_advance(
    thread: Thread,
    ns: str,
    ep: str,
    *,
    tok: str,
    lease_ms: int,
    served: tuple[str, ...],
    max_advances: int = 3,
    lost: bytes = b"",
    known: Mapping[str, int] = NONE,
) -> Script[Advance]:
    """Take the advance of a closed superstep; ``lost`` is the error when nobody survives it.

    ``known``: as for ``claim``.
    """
    arguments = Arguments()
    return arguments.script(
        "claim_advance",
        thread,
        _advance,
        ns=ns,
        ep=ep,
        tok=tok,
        lease=lease_ms,
        served=served,
        max=max_advances,
        error=arguments.add(lost),
        known=dict(known),
    )


def complete(
    thread: Thread,
    ns: str,
    ep: str,
    results: tuple[ResultEntry, ...],
    *,
    tok: str,
    tok2: str,
    lease_ms: int,
    known: Mapping[str, int] = NONE,
) -> Script[Recorded]:
    """Record results; ``tok2`` becomes the advance token if this closes the barrier.

    ``known``: as for ``claim``.
    """
    arguments = Arguments()
    return arguments.script(
        "complete",
        thread,
        _completed,
        ns=ns,
        ep=ep,
        tok=tok,
        tok2=tok2,
        lease=lease_ms,
        known=dict(known),
        results=[_result(arguments, result) for result in results],
    )


def finish(
    thread: Thread,
    ns: str,
    ep: str,
    result: ResultEntry,
    step: SuperstepEntry,
    *,
    tok: str,
    tok2: str,
    lease_ms: int,
    caller_writes: int = 0,
    known: Mapping[str, int] = NONE,
) -> Script[Committed | Recorded]:
    """Complete and commit the only task of a superstep; when it is not alone, only complete it.

    ``caller_writes``: how many of them the claim gave, which were applied.
    ``known``: as for ``claim``.
    """
    arguments = Arguments()
    return arguments.script(
        "finish",
        thread,
        _finished,
        ns=ns,
        ep=ep,
        tok=tok,
        tok2=tok2,
        lease=lease_ms,
        caller_writes=caller_writes,
        known=dict(known),
        results=[_result(arguments, result)],
        step=arguments.superstep(step),
    )


def commit(
    thread: Thread, ns: str, ep: str, step: SuperstepEntry, *, advtok: str
) -> Script[Committed]:
    """Replace the closed superstep ``ep`` by ``step``."""
    arguments = Arguments()
    return arguments.script(
        "commit", thread, _committed, ns=ns, ep=ep, tok=advtok, step=arguments.superstep(step)
    )


def stage(thread: Thread, ep: str, tasks: tuple[TaskEntry, ...]) -> Script[bool]:
    """Store a chunk of the superstep ``ep`` to come; it is lost after ten minutes."""
    arguments = Arguments()
    records, first, reads = arguments.tasks(tasks)
    return arguments.script("stage", thread, bool, ep=ep, tasks=records, first=first, reads=reads)


def stage_packets(
    thread: Thread, bundle: str, number: int, packets: tuple[bytes, ...]
) -> Script[bool]:
    """Store a slice of a bundle, from a number on; it is lost after ten minutes unless kept."""
    arguments = Arguments(list(packets))
    return arguments.script(
        "stage_packets", thread, bool, bundle=bundle, number=number, first=2, count=len(packets)
    )


def fail(
    thread: Thread,
    ns: str,
    ep: str,
    tid: str,
    *,
    tok: str,
    error: bytes,
    retry_in_ms: int,
) -> Script[Failing]:
    """Record a failed attempt; -1 ms is final."""
    arguments = Arguments()
    return arguments.script(
        "fail",
        thread,
        _failed,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        error=arguments.add(error),
        retry_in=retry_in_ms,
    )


def fail_advance(thread: Thread, ns: str, ep: str, *, advtok: str, error: bytes) -> Script[Failing]:
    """End the run because its superstep cannot be reduced."""
    arguments = Arguments()
    return arguments.script(
        "fail_advance", thread, _failed, ns=ns, ep=ep, tok=advtok, error=arguments.add(error)
    )


def _result(arguments: Arguments, result: ResultEntry) -> ResultRow:
    form = formats.WRITTEN[Kind.question]
    return ResultRow(
        tid=result.tid,
        round=result.rnd,
        blob=arguments.add(result.blob),
        event=arguments.add(result.event),
        escapes=result.escapes,
        collected=result.collected,
        questions=tuple(
            QuestionRow(
                format=form,
                iid=question.iid,
                deadline=question.deadline,
                asked=0,
                within=question.within,
                place=question.place,
                late=arguments.add(question.late),
                schema="",
            )
            for question in result.questions
        ),
        packets=arguments.packets(result.packets),
    )


@checked
def _failed(raw: Any) -> Failing:
    match [text(each) if isinstance(each, bytes) else hints(each) for each in raw]:
        case ["failed", tuple(up)]:
            return Failing("failed", up)
        case ["retry" | "stale" | "gone" as known]:
            return Failing(known)
        case other:
            raise ValueError(f"fail answered {other[:1]}")


@checked
def _claimed(raw: Any) -> Claimed:
    match word(raw):
        case "ok" | "busy" as status:
            found = ClaimReply._make(raw)
            read = context(found.context) if status == "ok" else None
            return Claimed(status, tuple(_task(each) for each in found.tasks), read)
        case "unserved":
            return Claimed("unserved", **_unserved(raw))
        case "gone" | "missing" as refused:
            return Claimed(refused)
        case unknown:
            raise ValueError(f"claim answered {unknown}")


def _unserved(raw: Any) -> dict[str, Any]:
    found = UnservedReply._make(raw)
    return {
        "graph": text(found.graph),
        "fp": text(found.fingerprint),
        "format": number(found.format),
        "release": text(found.release),
    }


def _task(raw: Any) -> ClaimedTask:
    if len(raw) == len(RefusedRow._fields):
        refused = RefusedRow._make(raw)
        busy = text(refused.status) == "busy"
        return ClaimedTask(text(refused.tid), "busy" if busy else "gone")
    row = ClaimedRow._make(raw)
    return ClaimedTask(
        tid=text(row.tid),
        status="ok",
        att=number(row.attempts),
        failures=number(row.failures),
        rnd=text(row.round),
        blob=row.blob or b"",
        packet=row.packet,
        answers=tuple(row.answers),
        risen=text(row.risen),
        inner=_inner(*row.inner) if row.inner else None,
    )


def _inner(name: bytes, stands: Any) -> tuple[str, Loaded | None]:
    return text(name), read_loaded(stands)


@checked
def _advance(raw: Any) -> Advance:
    match word(raw):
        case "advance":
            return _advancing(raw)
        case "unserved":
            return Advance("unserved", **_unserved(raw))
        case "failed":
            _, up = raw
            return Advance("failed", up=hints(up))
        case "busy" | "gone" | "missing" as refused:
            return Advance(refused)
        case unknown:
            raise ValueError(f"claim_advance answered {unknown}")


def _advancing(raw: Any) -> Advance:
    found = AdvanceReply._make(raw)
    writes = None if found.writes is None else pairs(found.writes)
    return Advance("advance", context(found.context), writes)


@checked
def _completed(raw: Any) -> Recorded:
    if word(raw) == "gone":
        return Recorded("gone")
    found = ResultsReply._make(raw)
    statuses = tuple(_taken(text(each)) for each in found.statuses)
    match text(found.closing):
        case "advance":
            return Recorded("advance", statuses, _advancing(found.advance))
        case "open" | "paused" as closing:
            return Recorded(closing, statuses, up=hints(found.up))
        case other:
            raise ValueError(f"complete answered {other}")


def _taken(status: str) -> Taken:
    match status:
        case "done" | "dup" | "stale" | "gone" as known:
            return known
        case other:
            raise ValueError(f"a result was taken as {other}")


@checked
def _committed(raw: Any) -> Committed:
    match [text(part) if isinstance(part, bytes) else hints(part) for part in raw]:
        case ["go" | "stop" | "end" | "fail" | "again" as done, str(ep), tuple(up)]:
            return Committed(done, ep, up)
        case ["stale" | "gone" | "unstaged" as refused]:
            return Committed(refused)
        case other:
            raise ValueError(f"commit answered {other[:1]}")


@checked
def _finished(raw: Any) -> Committed | Recorded:
    return _completed(raw) if word(raw) == "results" else _committed(raw)
