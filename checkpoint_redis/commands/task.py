"""Commands of the hot path: claim, complete, finish, commit, fail."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from typing import Any

from checkpoint_redis.commands.read import checked, context, number, pairs, text
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.records import ResultEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import Advance, Claimed, ClaimedTask, Committed, Recorded


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
) -> Script[Claimed]:
    """Take tasks for one attempt; channels over 64 KB in total come as names."""
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
) -> Script[Advance]:
    """Take the advance of a closed superstep; ``lost`` is the error when nobody survives it."""
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
) -> Script[Recorded]:
    """Record results; ``tok2`` becomes the advance token if this closes the barrier."""
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
) -> Script[Committed | Recorded]:
    """Complete and commit the only task of a superstep; when it is not alone, only complete it.

    ``caller_writes``: how many of them the claim gave, which were applied.
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
    records, first = arguments.tasks(tasks)
    return arguments.script("stage", thread, bool, ep=ep, tasks=records, first=first)


def fail(
    thread: Thread,
    ns: str,
    ep: str,
    tid: str,
    *,
    tok: str,
    error: bytes,
    retry_in_ms: int,
    memo: bytes = b"",
) -> Script[str]:
    """Record a failed attempt; -1 ms is final. -> retry | failed | stale | gone."""
    arguments = Arguments()
    return arguments.script(
        "fail",
        thread,
        status,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        error=arguments.add(error),
        retry_in=retry_in_ms,
        memo=arguments.add(memo),
    )


def fail_advance(thread: Thread, ns: str, ep: str, *, advtok: str, error: bytes) -> Script[str]:
    """End the run because its superstep cannot be reduced. -> failed | stale | gone."""
    arguments = Arguments()
    return arguments.script(
        "fail_advance", thread, status, ns=ns, ep=ep, tok=advtok, error=arguments.add(error)
    )


def _result(arguments: Arguments, result: ResultEntry) -> list[Any]:
    return [
        result.tid,
        result.rnd,
        arguments.add(result.blob),
        arguments.add(result.event),
        result.questions,
        arguments.add(result.memo),
    ]


@checked
def status(raw: Any) -> str:
    return text(raw[0])


@checked
def _claimed(raw: Any) -> Claimed:
    match text(raw[0]):
        case "ok":
            return Claimed("ok", tuple(_task(task) for task in raw[2]), context(raw[1]))
        case "busy":
            return Claimed("busy", tuple(_task(task) for task in raw[2]))
        case "unserved":
            return Claimed("unserved", graph=text(raw[1]), fp=text(raw[2]))
        case "gone":
            return Claimed("gone")
        case other:
            raise ValueError(f"claim answered {other}")


def _task(raw: Any) -> ClaimedTask:
    match text(raw[1]):
        case "ok":
            tid, _, att, rnd, blob, memo, answers = raw
            return ClaimedTask(
                text(tid), "ok", number(att), text(rnd), blob or b"", memo, tuple(answers)
            )
        case "busy":
            return ClaimedTask(text(raw[0]), "busy")
        case _:
            return ClaimedTask(text(raw[0]), "gone")


@checked
def _advance(raw: Any) -> Advance:
    match text(raw[0]):
        case "advance":
            return _advancing(raw[1], raw[2])
        case "unserved":
            return Advance("unserved", graph=text(raw[1]), fp=text(raw[2]))
        case "busy" | "gone" | "failed" as other:
            return Advance(other)
        case other:
            raise ValueError(f"claim_advance answered {other}")


def _advancing(raw_context: Any, writes: Any) -> Advance:
    return Advance("advance", context(raw_context), None if writes is None else pairs(writes))


@checked
def _completed(raw: Any) -> Recorded:
    if text(raw[0]) == "gone":
        return Recorded("gone")
    statuses = tuple(text(each) for each in raw[1])
    match text(raw[2]):
        case "advance":
            return Recorded("advance", statuses, _advancing(raw[3], raw[4]))
        case "open" | "paused" as closing:
            return Recorded(closing, statuses)
        case other:
            raise ValueError(f"complete answered {other}")


@checked
def _committed(raw: Any) -> Committed:
    match [text(part) for part in raw]:
        case ["go" | "stop" | "end" | "fail" | "again" as done, ep]:
            return Committed(done, ep)
        case ["stale" | "gone" | "unstaged" as refused]:
            return Committed(refused)
        case other:
            raise ValueError(f"commit answered {other}")


@checked
def _finished(raw: Any) -> Committed | Recorded:
    return _completed(raw) if text(raw[0]) == "results" else _committed(raw)
