"""What a thread's commands store, answer and leave behind, on a real Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from checkpoint_redis import about, events, loading
from checkpoint_redis.readings import ListPage
from checkpoint_redis.records import (
    AnswerEntry,
    CheckpointEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Committed, OutboxEntry
from distgraph.effects import carry
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def interrupted(d: Driver) -> str:
    """Bring the thread to a pause: a is done, b asks q1."""
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.ask(ep, "b", "q1")
    return ep


def recorded(d: Driver) -> list[events.StreamEvent]:
    return [events.decode(entry) for entry in d.client.xrange(d.thread.events)]


def test_a_start_stores_the_checkpoint_and_queues_the_tasks(d: Driver) -> None:
    started = d.start(superstep("cp-0", "a", "b"))
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert started.status == "go"
    assert (loaded.header.st, loaded.header.cp, loaded.header.thread_id) == (
        "busy",
        "cp-0",
        "thread",
    )
    assert (loaded.checkpoint, loaded.channels) == (b"cp-0", {"c@cp-0": b"value"})
    assert d.states() == {"a": "Q", "b": "Q"}
    assert d.due() == {"|d"}


@pytest.mark.parametrize(
    ("outcome", "status", "run"),
    [
        ("stop", "interrupted", "interrupted"),
        ("end", "idle", "success"),
        ("fail", "error", "error"),
    ],
)
def test_a_run_may_end_in_its_start(d: Driver, outcome: str, status: str, run: str) -> None:
    step = superstep("cp-0", outcome=outcome, error=b"why")  # type: ignore[arg-type]
    assert d.start(step).status == outcome
    assert (d.status, d.outcome()) == (status, run)
    assert d.stored() == {"h", "z" if status == "interrupted" else "c", "e"}
    assert d.due() == set()


def test_a_claim_gives_all_that_the_task_reads(d: Driver) -> None:
    ep = d.started("a")
    claimed = d.claim(ep, "a", "unknown")
    assert claimed.context is not None
    assert claimed.context.head.active == 1
    assert claimed.context.run.cfg == b"cfg"
    assert claimed.context.checkpoint == b"cp-0"
    assert claimed.context.channels == {"c@cp-0": b"value"}
    assert [(t.tid, t.status, t.blob, t.att) for t in claimed.tasks] == [
        ("a", "ok", b"a", 1),
        ("unknown", "gone", b"", 0),
    ]
    assert "a|l" in d.due()


def test_large_channels_come_by_name(d: Driver) -> None:
    checkpoint = CheckpointEntry(
        "cp", b"cp", 0, ("a@1", "b@1"), {"a@1": b"x" * 70_000, "b@1": b"y"}
    )
    task = TaskEntry("t", b"t", reads=("a",))
    step = SuperstepEntry(nonce(), (checkpoint,), (task,), "go")
    claimed = d.claim(d.start(step).ep, "t")
    assert claimed.context is not None
    assert claimed.context.channels == {"a@1": None, "b@1": b"y"}
    assert d.ledger.channels(d.thread, "", ("a@1",)) == (b"x" * 70_000,)


def test_a_task_that_reads_no_state_is_given_none(d: Driver) -> None:
    checkpoint = CheckpointEntry("cp", b"cp", 0, ("a@1",), {"a@1": b"x"})
    step = SuperstepEntry(nonce(), (checkpoint,), (TaskEntry("t", b"t"),), "go")
    context = d.claim(d.start(step).ep, "t").context
    assert context is not None
    assert (context.checkpoint, context.channels) == (None, {})


def test_an_answer_leaves_a_thread_its_version_of_the_graph(d: Driver) -> None:
    interrupted(d)
    ep = d.answer("b", "q1").ep
    claimed = d.ledger.claim(
        d.thread, "", ep, ("b",), tok="t", owner="w", lease_ms=LEASE, served=("graph@other",)
    )
    assert claimed.status == "unserved"


def test_a_pause_leaves_no_lease_and_nothing_due(d: Driver) -> None:
    interrupted(d)
    assert (d.status, d.outcome()) == ("interrupted", "interrupted")
    assert d.due() == set()
    assert d.stored() == {"h", "z", "e"}
    assert 0 < d.client.pttl(d.thread.events) <= 300_000


def test_a_deadline_is_all_that_is_due_of_a_pause(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1", deadline=1)
    assert d.due() == {"a|i"}
    (due,) = d.sweep()
    assert (due.kind, due.tid, d.due()) == ("i", "a", {"a|i"})


def test_an_answer_queues_its_task_alone_with_its_answers(d: Driver) -> None:
    ep = interrupted(d)
    reply = d.answer("b", "q1")
    assert (reply.status, reply.hints) == ("go", (OutboxEntry("", ep, "b", "queue", 0),))
    (task,) = d.claim(ep, "b").tasks
    assert task.answers == (b"yes",)
    assert d.complete(ep, "b", rnd=task.rnd).closing == "advance"
    assert d.client.pttl(d.thread.events) == -1


def test_an_answer_joins_the_run_that_is_under_way(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "b", "q1")
    reply = d.answer("b", "q1")
    assert (reply.status, reply.run) == ("joined", "run")
    assert (d.answer("b", "q1").status, d.answer("b", "q1").run) == ("dup", "run")


def test_several_answers_to_one_task_are_given_in_their_order(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    result = ResultEntry("a", "", b"q", questions=(QuestionEntry("q1"), QuestionEntry("q2")))
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    pairs = (AnswerEntry("", "a", "q1", b"one"), AnswerEntry("", "a", "q2", b"two"))
    assert d.ledger.answer(d.thread, "run-2", "resume", pairs, rnd="r").status == "go"
    assert d.claim(ep, "a").tasks[0].answers == (b"one", b"two")


def test_thousands_of_answers_are_taken_at_once(d: Driver) -> None:
    tids = [f"t{n}" for n in range(5_000)]
    ep = d.started(*tids)
    asked = [ResultEntry(tid, "", b"q", questions=(QuestionEntry(f"q-{tid}"),)) for tid in tids]
    for first in range(0, len(tids), 500):
        part = tuple(asked[first : first + 500])
        d.ledger.complete(d.thread, "", ep, part, tok="t", tok2="adv", lease_ms=LEASE)
    pairs = tuple(AnswerEntry("", tid, f"q-{tid}", tid.encode()) for tid in tids)
    assert d.ledger.answer(d.thread, "run-2", "resume", pairs, rnd="r").status == "go"
    assert set(d.states().values()) == {"Q"}
    assert d.claim(ep, "t4999").tasks[0].answers == (b"t4999",)


def test_of_several_answers_all_are_accepted_or_none(d: Driver) -> None:
    interrupted(d)
    pairs = (AnswerEntry("", "b", "q1", b"one"), AnswerEntry("", "b", "q2", b"two"))
    reply = d.ledger.answer(d.thread, "run-2", "resume", pairs, rnd="r")
    assert (reply.status, reply.pending) == ("no_interrupt", ("q1",))
    assert d.states() == {"a": "D", "b": "I"}


def test_what_a_caller_wrote_and_tasks_come_with_an_answer(d: Driver) -> None:
    ep = interrupted(d)
    pair = AnswerEntry("", "b", "q1", b"yes")
    extra = (TaskEntry("c", b"c", "fast", 2),)
    reply = d.ledger.answer(
        d.thread, "run-2", "resume", (pair,), rnd="r", caller_writes=(b"written",), tasks=extra
    )
    assert OutboxEntry("", ep, "c", "fast", 2) in reply.hints
    context = d.claim(ep, "c").context
    assert context is not None
    assert context.caller_writes.blobs == (b"written",)


@pytest.mark.parametrize("mode", ["resume", "reask", "retry"])
def test_an_idle_thread_waits_for_nothing(d: Driver, mode: str) -> None:
    d.start(superstep("cp-0", outcome="end"))
    reply = d.go_on(mode)  # type: ignore[arg-type]
    assert (reply.status, reply.outcome) == ("nothing", "idle")


def test_a_thread_that_does_not_exist_is_missing(d: Driver) -> None:
    assert d.answer("a", "q").status == "missing"
    assert d.ledger.load(d.thread) is None
    assert d.ledger.header(d.thread) is None
    assert d.ledger.delete(d.thread).status == "missing"
    assert d.stored() == set()


def test_questions_are_asked_again_in_a_new_round(d: Driver) -> None:
    ep = interrupted(d)
    assert d.go_on("reask").hints == (OutboxEntry("", ep, "b", "queue", 0),)
    assert d.claim(ep, "b").tasks[0].rnd != ""
    assert d.answer("b", "q1", "run-3").status == "no_interrupt"


def test_a_failed_attempt_is_queued_again_after_its_pause(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert d.fail(ep, "a", retry_in_ms=60_000) == "retry"
    assert d.fail(ep, "a", retry_in_ms=60_000) == "retry"
    assert d.sweep(after_ms=3_000) == ()
    (due,) = d.sweep(after_ms=60_000)
    assert due.hints == (OutboxEntry("", ep, "a", "queue", 0),)
    assert d.claim(ep, "a", tok="second").tasks[0].att == 2


def test_a_final_failure_ends_the_run_and_keeps_what_is_done(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    assert d.fail(ep, "b") == "failed"
    outcome = d.ledger.outcome(d.thread, "run")
    assert outcome is not None
    assert (outcome.status, outcome.error) == ("error", b"error")
    assert d.states() == {"a": "D", "b": "X", "c": "Q"}


def test_a_retry_runs_what_failed_and_what_had_not_run(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.complete(ep, "a")
    d.fail(ep, "b")
    reply = d.go_on("retry")
    assert (reply.status, reply.advance) == ("go", False)
    assert d.states() == {"a": "D", "b": "Q", "c": "Q"}
    (due,) = d.sweep(after_ms=3_000)
    assert {hint.tid for hint in due.hints} == {"b", "c"}


def test_a_failed_advance_is_retried(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    assert d.ledger.fail_advance(d.thread, "", ep, advtok="adv", error=b"e").status == "failed"
    assert d.go_on("retry").advance
    assert d.claim_advance(ep).writes == {"a": b"writes"}


def test_writes_over_a_megabyte_are_read_in_pieces(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    reply = d.complete(ep, "a", blob=b"x" * 1_100_000)
    assert reply.advance is not None
    assert reply.advance.writes is None
    writes = carry(loading.writes(d.thread, "", ep), d.ledger.call)
    assert {tid: len(blob) for tid, blob in writes.items()} == {"a": 1_100_000}
    assert carry(loading.writes(d.thread, "", "another"), d.ledger.call) == {}


def test_a_wide_superstep_is_staged_and_taken_whole(d: Driver) -> None:
    step = superstep("cp-0", ep="e")
    for first in (0, 5_000):
        chunk = tuple(TaskEntry(f"t{n}", b"t") for n in range(first, first + 5_000))
        assert d.ledger.stage(d.thread, "e", chunk)
    staged = SuperstepEntry("e", step.checkpoints, (), "go", staged=True)
    assert d.start(staged).status == "go"
    assert d.client.scard(f"{d.thread.prefix}q:") == 10_000
    assert d.client.pttl(f"{d.thread.prefix}s:") == -1
    assert d.claim("e", "t9999").status == "ok"


def test_a_staged_superstep_that_has_expired_is_reported(d: Driver) -> None:
    step = SuperstepEntry("e", superstep("cp-0").checkpoints, (), "go", staged=True)
    assert d.start(step).status == "unstaged"
    assert d.stored() == set()


def test_a_commit_replaces_the_superstep(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    step = superstep("cp-1", "b")
    assert d.commit(ep, step) == Committed("go", step.ep)
    assert (d.states(), d.writes()) == ({"b": "Q"}, {})
    assert d.due() == {"|d"}


def test_an_ended_thread_keeps_its_checkpoints_alone(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    assert d.finish(ep, "a", superstep("cp-1", outcome="end")).status == "end"  # type: ignore[union-attr]
    assert d.stored() == {"h", "c", "e"}
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert loaded.checkpoint == b"cp-1"
    older = d.ledger.load(d.thread, cp="cp-0")
    assert older is not None
    assert (older.checkpoint, older.channels, older.tasks) == (b"cp-0", {}, ())
    assert d.ledger.checkpoints(d.thread, "", ("cp-0", "cp-?")) == (b"cp-0", None)
    assert d.ledger.history(d.thread, "", "", 9) == ("cp-1", "cp-0")


def test_a_start_without_a_checkpoint_goes_on_from_the_head(d: Driver) -> None:
    d.start(superstep("cp-0", outcome="stop"))
    step = SuperstepEntry(nonce(), (), (TaskEntry("a", b"a"),), "go")
    assert d.start(step, "run-2", "cp-0").status == "go"
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert (loaded.header.cp, loaded.checkpoint) == ("cp-0", b"cp-0")


def test_a_new_run_drops_what_an_interrupted_one_left(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1", deadline=10**13)
    d.claim(ep, "b")
    d.ask(ep, "b", "q2")
    d.start(superstep("cp-1", "c"), "run-2", "cp-0")
    assert (d.states(), d.due()) == ({"c": "Q"}, {"|d"})


def test_a_deleted_thread_leaves_no_key_and_nothing_due(d: Driver) -> None:
    ep = d.started("a", "b", "c")
    d.claim(ep, "a", "b")
    d.fail(ep, "a", retry_in_ms=100)
    assert d.ledger.delete(d.thread).status == "ok"
    assert d.client.keys(f"{d.thread.namespace}*") == []


def test_an_update_creates_a_thread_or_moves_its_head(d: Driver) -> None:
    first, second = superstep("cp-0").checkpoints, superstep("cp-1").checkpoints
    created = d.ledger.update(
        d.thread, first, expect="", ep="e0", waiting=False, graph="graph", fp="1", queue="queue"
    )
    moved = d.ledger.update(d.thread, second, expect="cp-0", ep="e1", waiting=True)
    again = d.ledger.update(d.thread, second, expect="cp-0", ep="e1", waiting=True)
    assert [created.status, moved.status, again.status] == ["ok", "ok", "ok"]
    assert d.status == "interrupted"


def test_an_update_of_no_thread_and_no_graph_is_missing(d: Driver) -> None:
    checkpoints = superstep("cp-0").checkpoints
    reply = d.ledger.update(d.thread, checkpoints, expect="", ep="e", waiting=False)
    assert (reply.status, d.stored()) == ("missing", set())


def test_events_tell_the_run_in_order(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert d.emit("b", blobs=(b"hello",))
    d.ask(ep, "b", "q1")
    found = recorded(d)
    assert [(e.number, e.kind, e.payload[1:]) for e in found] == [
        (1, "run", ("start",)),
        (2, "step", ("cp-0", 0, "go")),
        (3, "task", ("a", 1)),
        (4, "custom", ("b", 1)),
        (5, "ask", ("b", 1, ["q1"], [0])),
        (6, "end", ("interrupted", "cp-0")),
    ]
    assert {(event.run, event.frame) for event in found} == {("run", "")}
    assert [event.blob for event in found[2:5]] == [b"x" * 5_000, b"hello", b"question"]


def test_a_run_begins_after_its_event_id(d: Driver) -> None:
    interrupted(d)
    reply = d.answer("b", "q1")
    ((_, entries),) = d.client.xread({d.thread.events: reply.event_id})
    first = events.decode(entries[0])
    assert (first.run, first.payload) == ("run-2", (1, "resume"))


def test_the_whole_outbox_can_be_read(d: Driver) -> None:
    ep = d.started(*(f"t{n}" for n in range(300)))
    d.claim(ep, "t0")
    found, cursor = set(), 0
    while True:
        cursor, hints = d.ledger.outbox(d.thread, "", ep, cursor, count=50)
        found |= {hint.tid for hint in hints}
        if not cursor:
            break
    assert len(found) == 299


def test_a_shutdown_gives_tasks_back_without_counting_the_attempt(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    reply = d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=0, given_back=True)
    assert reply.hints == (OutboxEntry("", ep, "a", "queue", 0),)
    assert d.claim(ep, "a").tasks[0].att == 1


def test_a_lost_worker_too_many_ends_the_run(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    reply = d.ledger.release(d.thread, "", ep, ("a",), owner="worker", max_lost=0, lost=b"lost")
    assert (reply.status, d.outcome()) == ("failed", "error")


def test_threads_are_listed_by_their_status(d: Driver) -> None:
    interrupted(d)
    namespace, shard = d.thread.namespace, d.thread.shard
    waiting = about.Sought((about.by_status("interrupted"),))
    (listed,) = d.ledger.threads(namespace, shard, waiting, "", 10).threads
    assert (listed.thread_id, listed.graph, listed.run) == ("thread", "graph", "run")
    busy = about.Sought((about.by_status("busy"),))
    assert d.ledger.threads(namespace, shard, busy, "", 10) == ListPage("", 0, ())
    cursor, found = 0, set()
    while True:
        cursor, some = d.ledger.scan(namespace, cursor)
        found |= {thread.x for thread in some}
        if not cursor:
            break
    assert found == {d.thread.x}


def test_one_sweeper_has_its_turn(d: Driver) -> None:
    turns = [d.ledger.sweeper_turn(d.thread.namespace, owner) for owner in ("one", "two")]
    assert turns == [True, False]


def test_payloads_of_events_go_with_their_events(d: Driver) -> None:
    head, sizes = "", []
    for n in range(4):
        step = superstep(f"cp-{n}", "a")
        d.start(step, f"run-{n}", head)
        d.claim(step.ep, "a")
        result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
        end, head = superstep(f"cp-{n}-end", outcome="end"), f"cp-{n}-end"
        d.ledger.finish(d.thread, "", step.ep, result, end, tok="t", tok2="adv", lease_ms=LEASE)
        sizes.append(sum(len(event.blob) == 5_000 for event in recorded(d)))
    assert sizes == [1, 2, 2, 2]
    assert d.stored() == {"h", "c", "e", "n:run-0", "n:run-1", "n:run-2"}


def test_a_task_carries_a_limit_and_a_batch(d: Driver) -> None:
    task = TaskEntry("t", b"t", limit_ms=1_500, batch="b")
    ep = d.start(replace(superstep("cp"), tasks=(task, TaskEntry("u", b"u")))).ep
    d.claim(ep, "t")
    d.ledger.release(d.thread, "", ep, ("t",), owner="worker", max_lost=3)
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    carried = {each.tid: (each.limit_ms, each.batch) for each in loaded.tasks}
    assert carried == {"t": (1_500, "b"), "u": (0, "")}
