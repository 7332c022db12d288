"""Commands of a client: start, cancel, delete, update, adopt."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from checkpoint_redis.commands.read import checked, number, text, word
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import (
    AdoptedReply,
    AskedBeforeRow,
    DoneRow,
    NewHeadRow,
    OlderRow,
    RepeatedReply,
    StartedReply,
)
from checkpoint_redis.records import (
    CheckpointEntry,
    OlderEntry,
    SuperstepEntry,
)
from checkpoint_redis.replies import Adopted, Changed, Submitted

T = TypeVar("T")


def start(
    thread: Thread,
    run: str,
    step: SuperstepEntry,
    *,
    expect: str,
    graph: str,
    fp: str,
    queue: str,
    seen: str = "",
    cfg: bytes = b"",
    modes: str = "",
    released: str = "",
    stop: int = 0,
    by: str = "",
    metadata: bytes = b"",
    about: bytes = b"",
    marks: tuple[str, ...] = (),
    older: OlderEntry | None = None,
) -> Script[Submitted]:
    """Start a run on a thread at rest whose head is ``expect`` ('' = none), or on a new one.

    The superstep may do without a checkpoint: the run then goes on from the head. ``seen`` is the
    epoch as the caller read it, '' lets any pass. ``released`` is the checkpoint whose static stop
    it passes, ``stop`` its last step, ``by`` who starts it. ``about`` is what the thread's metadata
    are from now on, b"" = as they were, and ``marks`` those that it is found by. ``older``: the run
    opens the superstep of that checkpoint again, which becomes the head.
    """
    arguments = Arguments()
    return arguments.script(
        "start",
        thread,
        _started,
        run=run,
        expect=expect,
        seen=seen,
        id=arguments.add(thread.thread_id.encode("utf-8", "surrogatepass")),
        graph=graph,
        fp=fp,
        queue=queue,
        cfg=arguments.add(cfg),
        modes=modes,
        released=released,
        stop=stop,
        by=by,
        metadata=arguments.add(metadata),
        about=arguments.add(about),
        marks=" ".join(marks),
        step=arguments.superstep(step),
        older=older is not None and _older(arguments, older),
    )


def _older(arguments: Arguments, older: OlderEntry) -> OlderRow:
    head = older.head
    refs = arguments.refs(head.refs)
    return OlderRow(
        head=NewHeadRow(ns=head.ns, checkpoint=head.cp, step=head.step, refs=refs),
        done=[DoneRow(tid=tid, blob=arguments.add(blob)) for tid, blob in older.done],
        answered=[AskedBeforeRow(tid=tid, iids=iids) for tid, iids in older.answered],
    )


def cancel(thread: Thread, run: str, *, ep: str) -> Script[Changed]:
    """Cancel ``run`` ('' = whichever there is); ``ep`` fences off what still runs."""
    return Arguments().script("cancel", thread, changed, run=run, ep=ep)


def delete(thread: Thread, *, ep: str = "") -> Script[Changed]:
    """Remove all of a thread, or a part; with ``ep`` only while it rests and that is its epoch.

    -> ok | more: call again, as ``removing.delete`` does | missing | busy(run) | conflict(head).
    """
    return Arguments().script("delete", thread, changed, ep=ep)


def update(
    thread: Thread,
    checkpoints: tuple[CheckpointEntry, ...],
    *,
    expect: str,
    ep: str,
    waiting: bool,
    seen: str = "",
    done: tuple[tuple[str, bytes], ...] = (),
    graph: str = "",
    fp: str = "",
    queue: str = "",
) -> Script[Changed]:
    """Put checkpoints on a thread at rest whose head is ``expect``.

    ``waiting`` leaves it interrupted. ``done``: what was written in place of tasks, by their ids,
    which stays at the old head. ``seen`` is the epoch as the caller read it, '' lets any
    pass. With a ``graph``, a thread that does not exist is created.
    """
    arguments = Arguments()
    return arguments.script(
        "update",
        thread,
        changed,
        expect=expect,
        seen=seen,
        waiting=waiting,
        id=arguments.add(thread.thread_id.encode("utf-8", "surrogatepass")),
        graph=graph,
        fp=fp,
        queue=queue,
        ep=ep,
        done=[DoneRow(tid=tid, blob=arguments.add(blob)) for tid, blob in done],
        checkpoints=[arguments.checkpoint(each) for each in checkpoints],
    )


def adopt(
    thread: Thread, *, ep: str, new_ep: str, fp: str, queue: str, restart: bool
) -> Script[Adopted]:
    """Take a thread over to the version ``fp`` of its graph, whose tasks go to ``queue``.

    ``ep`` is the epoch as the caller read it, ``new_ep`` the one from now on. ``restart``: also a
    busy thread, whose running attempts begin again.
    """
    return Arguments().script(
        "adopt", thread, _adopted, ep=ep, new_ep=new_ep, fp=fp, queue=queue, restart=restart
    )


def repeated(made: Callable[..., T], raw: Any) -> T:
    """Read the answer to a call that is repeated."""
    again = RepeatedReply._make(raw)
    return made(
        "dup",
        ep=text(again.epoch),
        event_id=text(again.event_id),
        run=text(again.run),
        outcome=text(again.outcome),
        now=number(again.now),
    )


@checked
def _adopted(raw: Any) -> Adopted:
    if word(raw) == "ok":
        found = AdoptedReply._make(raw)
        return Adopted("ok", busy=bool(found.busy), advance=bool(found.advance))
    refused = changed(raw)
    match refused.status:
        case "busy" | "missing" | "conflict" as status:
            return Adopted(status, run=refused.run, head=refused.head)
        case other:
            raise ValueError(f"adopt answered {other}")


@checked
def _started(raw: Any) -> Submitted:
    match word(raw):
        case "go" | "stop" | "end" | "fail" as status:
            found = StartedReply._make(raw)
            epoch, event_id = text(found.epoch), text(found.event_id)
            return Submitted(status, epoch, event_id, now=number(found.now))
        case "dup":
            return repeated(Submitted, raw)
        case _:
            return _not_started([text(each) for each in raw])


def _not_started(said: list[str]) -> Submitted:
    match said:
        case ["busy", run]:
            return Submitted("busy", run=run)
        case ["conflict", head]:
            return Submitted("conflict", head=head)
        case ["unstaged"]:
            return Submitted("unstaged")
        case other:
            raise ValueError(f"start answered {other[:1]}")


@checked
def changed(raw: Any) -> Changed:
    match [text(part) for part in raw]:
        case ["ok" | "idle" | "missing" | "unstored" | "more" as status]:
            return Changed(status)
        case ["ok", number]:
            return Changed("ok", number=int(number))
        case ["cancelled" | "busy" as status, run]:
            return Changed(status, run=run)
        case ["conflict", head]:
            return Changed("conflict", head=head)
        case other:
            raise ValueError(f"Redis answered {other[:1]}")
