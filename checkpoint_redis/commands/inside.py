"""Commands of an attempt whose task has a graph inside it."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from checkpoint_redis.commands.read import checked, hints, text, word
from checkpoint_redis.commands.script import Arguments, Script, frame_row
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AgainRow, DoneRow, ParkedReply
from checkpoint_redis.records import (
    AgainEntry,
    CallsEntry,
    InnerEntry,
    KeepEntry,
    ParkEntry,
)
from checkpoint_redis.replies import Kept, Parked


def inner(
    thread: Thread,
    ep: str,
    tid: str,
    entry: InnerEntry,
    *,
    tok: str,
    new_ep: str,
    ns: str = "",
) -> Script[Kept]:
    """Store what the attempt ``tok`` at a task of the frame ``ns`` has of a graph called in it.

    ``new_ep`` is the called one's epoch from now on. Nothing is stored where the attempt was given
    up (gone), or the frame is not as the attempt knows it (conflict).
    """
    arguments = Arguments()
    return arguments.script(
        "inner",
        thread,
        _kept,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        new_ep=new_ep,
        seen=entry.seen,
        inner=entry.frame.hash,
        frame=frame_row(entry.frame),
        cp=entry.cp,
        records=[arguments.add(record) for record in entry.records],
        checkpoints=[arguments.checkpoint(each) for each in entry.checkpoints],
    )


def keep(
    thread: Thread, ns: str, ep: str, tid: str, entry: KeepEntry, *, tok: str, new_ep: str
) -> Script[Kept]:
    """Keep what functions have returned that the attempt ``tok`` has called in its process.

    ``new_ep`` is the epoch of its calls where none are open yet. Nothing is stored where the
    attempt was given up (gone), or its calls are not as it knows them (conflict).
    """
    arguments = Arguments()
    return arguments.script(
        "keep",
        thread,
        _kept,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        new_ep=new_ep,
        seen=entry.seen,
        inner=entry.frame.hash,
        frame=frame_row(entry.frame),
        results=[DoneRow(tid=each, blob=arguments.add(blob)) for each, blob in entry.results],
    )


def park(
    thread: Thread, ns: str, ep: str, tid: str, *, tok: str, entry: ParkEntry, lease_ms: int
) -> Script[Parked]:
    """Let the graph inside a task, or what it calls, go on by itself, while the task is parked.

    What is to be stored of a frame whose superstep goes on is its answers alone; ``tok`` begins the
    round of the tasks that run again. A repetition answers the same.
    """
    inner = entry.inner
    if entry.step is None and (inner.records or inner.checkpoints):
        raise ValueError("The open superstep of a frame goes on: there is nothing else to store.")
    if entry.step is not None and entry.calls is not None:
        raise ValueError("A frame is of a graph or of calls of functions, and not of both.")
    if entry.step is not None and entry.step.outcome != "go":
        raise ValueError(f"A task is parked for a superstep, not for '{entry.step.outcome}'.")
    arguments = Arguments()
    return arguments.script(
        "park",
        thread,
        _parked,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        lease=lease_ms,
        stop=entry.stop,
        released=entry.released,
        call=arguments.add(entry.call),
        step=arguments.superstep(entry.step) if entry.step else False,
        calls=_calls(arguments, entry.calls) if entry.calls else False,
        again=_again(arguments, entry.again),
        seen=inner.seen,
        inner=inner.frame.hash,
        frame=frame_row(inner.frame),
        cp=inner.cp,
        records=[arguments.add(record) for record in inner.records],
        checkpoints=[arguments.checkpoint(each) for each in inner.checkpoints],
    )


def rejoin_some(
    thread: Thread, ns: str, ep: str, tid: str, entry: ParkEntry, *, tok: str
) -> Script[Kept]:
    """Queue the tasks ``again`` of an open frame, before ``park`` is given the rest of them.

    Nothing is changed where the attempt was given up (gone), or the frame is not as it knows it
    (conflict). A repetition changes nothing more.
    """
    arguments = Arguments()
    return arguments.script(
        "rejoin_some",
        thread,
        _kept,
        ns=ns,
        ep=ep,
        tid=tid,
        tok=tok,
        seen=entry.inner.seen,
        inner=entry.inner.frame.hash,
        again=_again(arguments, entry.again),
    )


def _again(arguments: Arguments, rows: Iterable[AgainEntry]) -> list[AgainRow]:
    return [
        AgainRow(tid=each.tid, answers=[arguments.add(blob) for blob in each.answers])
        for each in rows
    ]


def _calls(arguments: Arguments, calls: CallsEntry) -> dict[str, Any]:
    tasks, first, reads = arguments.tasks(calls.tasks)
    return {
        "ep": calls.ep,
        "tasks": tasks,
        "first": first,
        "reads": reads,
        "staged": calls.staged,
    }


@checked
def _kept(raw: Any) -> Kept:
    match text(raw):
        case "ok" | "gone" | "conflict" as known:
            return known
        case other:
            raise ValueError(f"a keeping script answered {other}")


@checked
def _parked(raw: Any) -> Parked:
    match word(raw):
        case "parked":
            found = ParkedReply._make(raw)
            return Parked("parked", text(found.epoch), hints(found.hints))
        case "gone" | "conflict" | "unstaged" as refused:
            return Parked(refused)
        case other:
            raise ValueError(f"park answered {other}")
