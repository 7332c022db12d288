"""Guards of what is opened again of an older checkpoint, and of what had failed before."""

from __future__ import annotations

from checkpoint_redis.records import NewHead, OlderEntry, SuperstepEntry, TaskEntry
from tests.support.guards import Guard
from tests.support.guards.left import left
from tests.support.thread_driver import Driver, nonce, superstep


def opened_again(d: Driver) -> str:
    """Open the superstep of cp-0 again, of which a asked q1 and b is done; return its epoch."""
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "b")
    d.ask(ep, "a", "q1")
    d.start(superstep("cp-1", outcome="end"), "run-2", "cp-0")
    tasks = (TaskEntry("a", b"a", answers=(b"yes",)), TaskEntry("b", b"b"))
    step = SuperstepEntry(nonce(), (), tasks, "go")
    head = NewHead("", "cp-0", 0, ("c@cp-0",))
    older = OlderEntry(head, (("b", b"writes"),), (("a", ("q1",)),))
    started = d.ledger.start(
        d.thread, "run-3", step, expect="cp-1", graph="graph", fp="1", queue="queue", older=older
    )
    return started.ep


def the_thread_stands_at_what_is_opened_again(d: Driver) -> None:
    opened_again(d)
    loaded = d.load()
    assert loaded is not None
    assert loaded.header.cp == "cp-0"


def what_is_done_is_not_run_again(d: Driver) -> None:
    ep = opened_again(d)
    assert d.states()["b"] == "D"
    assert d.writes() == {"b": b"writes"}
    assert [d.claim(ep, tid).status for tid in ("b", "a")] == ["busy", "ok"]
    assert d.complete(ep, "a").closing == "advance"


def what_is_opened_again_has_its_answers(d: Driver) -> None:
    ep = opened_again(d)
    (claimed,) = d.claim(ep, "a").tasks
    assert claimed.answers == (b"yes",)
    d.complete(ep, "a")
    d.commit(ep, superstep("cp-2", outcome="end"))
    (told,) = [task for task in left(d) or () if task.tid == "a"]
    assert told.answers == (b"yes",)
    assert [(each.run, each.blob) for each in told.asked] == [("run-3", b"question")]
    assert [iid for each in told.asked for iid, _ in each.questions] == ["q1"]


def what_had_failed_is_left_beside_what_it_came_to(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "b")
    d.fail(ep, "a")
    d.go_on("retry")
    d.claim(ep, "a", tok="2")
    d.complete(ep, "a", tok="2")
    d.commit(ep, superstep("cp-1", outcome="end"))
    (told,) = [task for task in left(d) or () if task.tid == "a"]
    assert told.result == b"writes"
    assert [(each.run, each.questions, each.blob) for each in told.asked] == [("", (), b"error")]


GUARDS = (
    Guard(
        the_thread_stands_at_what_is_opened_again,
        "start.lua",
        "if A.older then stand_at(A.older) end\n",
        "",
    ),
    Guard(what_is_done_is_not_run_again, "start.lua", "  take_done(A.older)\n", ""),
    Guard(what_is_done_is_not_run_again, "older.lua", "    task[TASK.state] = STATE.done\n", ""),
    Guard(
        what_is_done_is_not_run_again,
        "older.lua",
        "    call('HSET', P .. KEY.writes, tid, bytes)\n",
        "",
    ),
    Guard(
        what_is_done_is_not_run_again, "older.lua", "    call('SREM', P .. KEY.active, tid)\n", ""
    ),
    Guard(
        what_is_opened_again_has_its_answers,
        "new_tasks.lua",
        "    add_answers(fields, id, answers)\n",
        "",
    ),
    Guard(
        what_is_opened_again_has_its_answers,
        "new_tasks.lua",
        "  fields[#fields + 1], fields[#fields + 2] = TASK_FIELD.answered, id\n",
        "",
    ),
    Guard(
        what_is_opened_again_has_its_answers,
        "start.lua",
        "  remember_asked(A.older, A.run, A.by)\n",
        "",
    ),
    Guard(
        what_had_failed_is_left_beside_what_it_came_to,
        "again.lua",
        "  else note_failed(ns, said, tid, each.failed or '') end\n",
        "  end\n",
    ),
    Guard(
        what_had_failed_is_left_beside_what_it_came_to,
        "again.lua",
        "  if failed == '' then return read_run(call('HGET', H, HEADER.run))[RUN_ROW.error] end\n",
        "",
    ),
)
