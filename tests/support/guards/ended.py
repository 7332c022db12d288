"""Guards of what is kept of runs that are over: the last one's record, a line of those before."""

from __future__ import annotations

import uuid

from checkpoint_redis import commands
from checkpoint_redis.layout import Field, Limit, RunStatus, ThreadKey
from checkpoint_redis.readings import RunOutcome
from checkpoint_redis.records import AnswerEntry, NewHead
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep


def ran(d: Driver, count: int, *, first: int = 0, error: bytes = b"error") -> list[str]:
    """Let so many runs fail, each on the head of the one before; return their ids."""
    runs = [f"run-{number}" for number in range(first, first + count)]
    for run in runs:
        loaded = d.ledger.header(d.thread)
        step = superstep(f"cp-{run}", outcome="fail", error=error)
        d.start(step, run, loaded.cp if loaded else "")
    return runs


def records(d: Driver) -> set[str]:
    """Return the runs that have a record."""
    fields = (field.decode() for field in d.client.hkeys(d.thread.checkpoints))
    last = {name.removeprefix(Field.run) for name in fields if name.startswith(Field.run)}
    others = (key for key in d.stored() if key.startswith(ThreadKey.run))
    return last.union(key.removeprefix(ThreadKey.run) for key in others)


def twenty_runs_before_the_last_are_known(d: Driver) -> None:
    runs = ran(d, 23)
    assert [d.outcome(run) for run in runs] == [""] * 2 + ["error"] * 21
    assert [line.run for line in d.ledger.runs(d.thread)] == runs[:1:-1]
    assert records(d) == set(runs[2:])


def a_line_says_what_the_record_said(d: Driver) -> None:
    run, cp = str(uuid.uuid4()), str(uuid.uuid4())
    d.ledger.start(
        d.thread, run, superstep(cp, outcome="stop"),
        expect="", graph="graph", fp="1", queue="queue", by="Zoë of the second floor",
    )  # fmt: skip
    (before,) = d.ledger.runs(d.thread)
    d.start(superstep("cp-1", outcome="end"), "run-2", cp)
    last, line = d.ledger.runs(d.thread)
    assert (before.kind, before.status, before.cp) == ("start", "interrupted", cp)
    assert line == d.ledger.runs(d.thread)[1]
    assert (line.run, line.kind, line.status, line.cp) == (run, "start", "interrupted", cp)
    assert (line.began, line.ended, line.by) == (before.began, before.ended, "Zoë of the se")
    assert (last.run, last.status) == ("run-2", "success")
    assert len(d.client.hget(d.thread.checkpoints, Field.lines)) < 64


def a_line_is_found_by_its_whole_id(d: Driver) -> None:
    for number, run in enumerate(("run-1", "run-12", "run")):
        d.start(superstep(f"cp-{number}", outcome="end"), run, f"cp-{number - 1}" if number else "")
    assert [d.outcome(run) for run in ("run-1", "run-12", "run-", "")] == ["success"] * 2 + [""] * 2


def a_large_record_goes_with_the_second_run_after_it(d: Driver) -> None:
    runs = ran(d, 3, error=b"x" * Limit.record)
    assert records(d) == set(runs[1:])
    left = d.ledger.outcome(d.thread, runs[0])
    assert left is not None
    line = d.ledger.runs(d.thread)[-1]
    assert left == RunOutcome(RunStatus.error, "cp-run-0", b"", left.now, line=line)


def a_record_is_found_by_an_id_of_ours_in_a_line(d: Driver) -> None:
    first, *others = (str(uuid.uuid4()) for _ in range(3))
    for number, run in enumerate((first, *others)):
        step = superstep(f"cp-{number}", outcome="fail", error=b"x" * Limit.record)
        d.start(step, run, f"cp-{number - 1}" if number else "")
    assert records(d) == set(others)


def a_record_goes_after_an_hour(d: Driver) -> None:
    """By itself: nobody looks at a thread that rests."""
    ran(d, 2)
    key = f"{d.thread.prefix}{ThreadKey.run}run-0"
    assert 0 < d.client.pttl(key) <= Limit.record_ms
    left = d.ledger.outcome(d.thread, "run-0")
    assert left is not None
    assert left.record is not None
    assert not d.client.hexists(d.thread.checkpoints, f"{Field.run}run-0")
    d.client.delete(key)
    assert (records(d), d.outcome("run-0")) == ({"run-1"}, "error")


def a_thread_that_is_deleted_leaves_no_record(d: Driver) -> None:
    ran(d, 3)
    d.ledger.delete(d.thread)
    assert d.stored() == set()


def a_thread_whose_lines_cannot_be_read_is_deleted(d: Driver) -> None:
    ran(d, 2)
    d.client.hset(d.thread.checkpoints, Field.lines, b"\x05short")
    d.ledger.delete(d.thread)
    assert d.stored() == {f"{ThreadKey.run}run-0"}


def joined(d: Driver, count: int) -> list[str]:
    """Let so many answers join the run; return their ids."""
    tids = [f"t{number}" for number in range(count)]
    ep = d.started("slow", *tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.ask(ep, tid, f"q-{tid}")
        pair = AnswerEntry("", tid, f"q-{tid}", b"yes")
        d.ledger.answer(d.thread, tid, "resume", (pair,), rnd=nonce())
    return tids


def an_answer_that_joined_is_known_beside_the_run(d: Driver) -> None:
    first, *others = joined(d, Limit.joined + 1)
    assert (d.outcome(first), d.outcome("run")) == ("", "pending")
    assert {d.outcome(tid) for tid in others} == {"joined"}
    found = d.ledger.outcome(d.thread, others[0])
    assert found is not None
    assert found.cp == "run"


def an_answer_that_joined_is_known_when_its_run_is_over(d: Driver) -> None:
    joined(d, 1)
    d.ledger.cancel(d.thread, "run", ep=nonce())
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    again = d.answer("t0", "q-t0", "t0")
    assert (again.status, again.outcome, again.run) == ("dup", "joined", "run")


def a_run_that_is_a_line_is_known_when_it_is_repeated(d: Driver) -> None:
    step = superstep("cp-0", outcome="fail", error=b"x" * Limit.record)
    d.start(step)
    ran(d, 2)
    again = d.start(step)
    assert (again.status, again.outcome, again.run) == ("dup", "error", "run")


def pruning_leaves_the_lines_alone(d: Driver) -> None:
    joined(d, 1)
    d.ledger.cancel(d.thread, "run", ep=nonce())
    d.start(superstep("cp-1", outcome="stop"), "run-2", "cp-0")
    ep = d.start(superstep("cp-2", outcome="stop"), "run-3", "cp-1").ep
    forget = commands.forget(d.thread, ("k||cp-0",), (), ep=ep, new_ep=nonce())
    assert d.ledger.call(forget).status == "ok"
    assert d.stored() == {"h", "z", "e"}
    assert [d.outcome(run) for run in ("t0", "run", "run-2", "run-3")] == [
        "", "cancelled", "interrupted", "interrupted",
    ]  # fmt: skip
    assert [run.cp for run in d.ledger.runs(d.thread)] == ["cp-2", "cp-1", "cp-0"]
    left = [d.ledger.outcome(d.thread, run) for run in ("run", "run-2", "run-3")]
    assert [outcome.record is None for outcome in left if outcome] == [True, True, False]
    assert [outcome.line is None for outcome in left if outcome] == [False, False, True]


def a_head_that_is_forgotten_is_not_waited_at(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="end"))
    ep = d.start(superstep("cp-1", outcome="stop"), "run-2", "cp-0").ep
    head = (NewHead("", "cp-0", 0, ()),)
    assert d.ledger.call(commands.forget(d.thread, (), head, ep=ep, new_ep=nonce())).status == "ok"
    assert (d.status, d.stored()) == ("idle", {"h", "c", "e"})


GUARDS = (
    Guard(pruning_leaves_the_lines_alone, "forget.lua", "forget_records()\n", ""),
    Guard(pruning_leaves_the_lines_alone, "forget.lua", "if waits then freeze() end\n", ""),
    Guard(pruning_leaves_the_lines_alone, "forget.lua", "call('HDEL', C, FIELD.joined)\n", ""),
    Guard(a_head_that_is_forgotten_is_not_waited_at, "forget.lua", "    waits = false\n", ""),
    Guard(
        twenty_runs_before_the_last_are_known,
        "lines.lua",
        "if n <= LIMIT.lines then lines[n] = line end",
        "lines[n] = line",
    ),
    Guard(
        twenty_runs_before_the_last_are_known,
        "lines.lua",
        "return n > LIMIT.lines or n == 2",
        "return n == 2",
    ),
    Guard(
        a_line_says_what_the_record_said,
        "lines.lua",
        "string.sub(row[RUN_ROW.by], 1, LIMIT.by)",
        "row[RUN_ROW.by]",
    ),
    Guard(
        a_line_is_found_by_its_whole_id,
        "lines.lua",
        "string.char(#id) .. id end",
        "id end",
    ),
    Guard(
        a_large_record_goes_with_the_second_run_after_it,
        "lines.lua",
        "n == 2 and call('STRLEN'",
        "false and call('STRLEN'",
    ),
    Guard(
        a_record_is_found_by_an_id_of_ours_in_a_line,
        "lines.lua",
        "  return table.concat({string.match(hex, WITHOUT)}, '-'), after\n",
        "  return hex, after\n",
    ),
    Guard(a_record_goes_after_an_hour, "lines.lua", ", 'PX', LIMIT.record_ms", ""),
    Guard(
        a_record_goes_after_an_hour,
        "lines.lua",
        "  call('HDEL', C, FIELD.run .. before)\n",
        "",
    ),
    Guard(
        a_record_goes_after_an_hour,
        "runs.lua",
        " or call('GET', P .. KEY.run .. run)",
        "",
    ),
    Guard(
        a_thread_that_is_deleted_leaves_no_record,
        "delete.lua",
        "pcall(forget_records)\n",
        "",
    ),
    Guard(
        a_thread_whose_lines_cannot_be_read_is_deleted,
        "delete.lua",
        "pcall(forget_records)\n",
        "forget_records()\n",
    ),
    Guard(
        an_answer_that_joined_is_known_beside_the_run,
        "lines.lua",
        "if #lines < LIMIT.joined then",
        "if true then",
    ),
    Guard(
        an_answer_that_joined_is_known_when_its_run_is_over,
        "answer.lua",
        "if joins then note_joined(A.run, run)",
        "if joins then",
    ),
    Guard(
        a_run_that_is_a_line_is_known_when_it_is_repeated,
        "lines.lua",
        "  if line then return WORDS[string.byte(line, LINE.status)], run end\n",
        "",
    ),
)
