"""Commands that go on with an open superstep, and with what is too much for one script."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from typing import Any

from checkpoint_redis.commands.read import checked, hints, number, text, word
from checkpoint_redis.commands.run import repeated
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnsweredReply, AnswerMode, AnswerRow, MovedReply
from checkpoint_redis.records import NOT_STAGED, AnswerEntry, StagedAnswers, TaskEntry
from checkpoint_redis.replies import Answered, Moved, Staged


def answer(
    thread: Thread,
    run: str,
    mode: AnswerMode,
    pairs: tuple[AnswerEntry, ...] = (),
    *,
    rnd: str,
    staged: StagedAnswers = NOT_STAGED,
    ep: str = "",
    caller_writes: tuple[bytes, ...] = (),
    tasks: tuple[TaskEntry, ...] = (),
    cfg: bytes | None = None,
    modes: str = "",
    graph_fp: str = "",
    stop: int | None = None,
    by: str = "",
    metadata: bytes = b"",
    late: bool = False,
) -> Script[Answered]:
    """Go on with an open superstep: answer questions, ask them again, or retry what failed.

    All pairs are accepted or none; so are those that were ``staged`` for ``rnd`` instead. ``ep``:
    the epoch as the caller read it, when what it brings is
    for that superstep alone; a pair needs none, its ids tell. ``cfg`` None keeps the previous
    run's, and its metadata; ``graph_fp``: the version of the graph that goes on, '' = the thread's
    own. ``by`` is who says so. ``late``: what stands for answers where a deadline is over, which
    nothing else answers then.
    """
    arguments = Arguments()
    records, first, reads = arguments.tasks(tasks)
    return arguments.script(
        "answer",
        thread,
        _answered,
        run=run,
        mode=mode,
        ep=ep,
        pairs=_rows(arguments, pairs),
        slices=staged.slices,
        moment=staged.moment,
        rnd=rnd,
        caller_writes=[arguments.add(blob) for blob in caller_writes],
        tasks=records,
        first=first,
        reads=reads,
        keep_cfg=cfg is None,
        cfg=arguments.add(cfg or b""),
        modes=modes,
        fp=graph_fp,
        stop=-1 if stop is None else stop,
        by=by,
        metadata=arguments.add(metadata),
        late=late,
    )


def stage_answers(
    thread: Thread, rnd: str, number: int, pairs: tuple[AnswerEntry, ...]
) -> Script[Staged]:
    """Store slice ``number``, from 0, of what the answer that begins ``rnd`` brings.

    It has all the answers of each of its tasks, whose questions are open. It lapses by itself.
    """
    arguments = Arguments()
    rows = _rows(arguments, pairs)
    return arguments.script("stage_answers", thread, _staged, rnd=rnd, number=number, pairs=rows)


def move(thread: Thread) -> Script[Moved]:
    """Queue a slice of what a call goes on with that was too much for one script."""
    return Arguments().script("move", thread, _moved)


def _rows(arguments: Arguments, pairs: tuple[AnswerEntry, ...]) -> list[AnswerRow]:
    return [AnswerRow(ns=a.ns, tid=a.tid, iid=a.iid, blob=arguments.add(a.blob)) for a in pairs]


@checked
def _answered(raw: Any) -> Answered:
    match word(raw):
        case "go" | "joined" as status:
            found = AnsweredReply._make(raw)
            return Answered(
                status=status,
                ep=text(found.epoch),
                event_id=text(found.event_id),
                run=text(found.run),
                now=number(found.now),
                hints=hints(found.hints),
                advance=bool(found.advance),
                more=bool(found.more),
                moves=bool(found.moves),
            )
        case "dup":
            return repeated(Answered, raw)
        case _:
            return _not_answered([_said(each) for each in raw])


def _not_answered(said: list[str | tuple[str, ...]]) -> Answered:
    match said:
        case ["no_interrupt", str(unknown), tuple(pending)]:
            return Answered("no_interrupt", unknown=unknown, pending=pending)
        case ["nothing", str(st)]:
            return Answered("nothing", outcome=st)
        case ["busy", str(run)]:
            return Answered("busy", run=run)
        case ["missing" | "conflict" | "moving" | "unstaged" as status]:
            return Answered(status)
        case other:
            raise ValueError(f"answer answered {other[:1]}")


@checked
def _staged(raw: Any) -> Staged:
    match [_said(each) for each in raw]:
        case ["staged", str(moment)]:
            return Staged("staged", moment=moment)
        case said:
            return Staged("refused", refusal=_not_answered(said))


@checked
def _moved(raw: Any) -> Moved:
    match word(raw):
        case "moved":
            found = MovedReply._make(raw)
            return Moved(hints(found.hints), moves=bool(found.moves))
        case "gone":
            return Moved()
        case other:
            raise ValueError(f"move answered {other}")


def _said(raw: Any) -> str | tuple[str, ...]:
    return text(raw) if isinstance(raw, bytes) else tuple(text(each) for each in raw)
