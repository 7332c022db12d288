"""What attempts and runs leave for those who come after: counts, errors, memos, events."""

from __future__ import annotations

from dataclasses import replace

import pytest
import redis

from checkpoint_redis import events
from checkpoint_redis.records import (
    AnswerEntry,
    CheckpointEntry,
    CustomEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.replies import CallerWrites, OpenTask
from tests.support.thread_driver import LEASE, Driver, nonce, superstep

pytestmark = pytest.mark.redis


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str) -> Driver:
    return Driver(redis_client, namespace)


def task(d: Driver, tid: str) -> OpenTask:
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    return next(each for each in loaded.tasks if each.tid == tid)


def kinds(d: Driver) -> list[str]:
    return [events.decode(entry).kind for entry in d.client.xrange(d.thread.events)]


def test_an_answer_begins_a_new_count_of_attempts(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    d.answer("a", "q1")
    assert d.claim(ep, "a").tasks[0].att == 1


def test_an_error_stays_with_its_task_until_it_is_retried(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert task(d, "a").error == b"error"
    d.go_on("retry")
    assert task(d, "a").error is None


def test_an_error_goes_when_a_zombie_finishes_its_task(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a")
    told = kinds(d)
    assert d.complete(ep, "a", tok="zombie").statuses == ("done",)
    assert task(d, "a").error is None
    assert kinds(d) == told


def test_what_an_attempt_remembers_is_given_to_the_next(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ledger.fail(d.thread, "", ep, "a", tok="t", error=b"e", retry_in_ms=10, memo=b"first")
    d.sweep(after_ms=100)
    assert d.claim(ep, "a").tasks[0].memo == b"first"
    asking = ResultEntry("a", "", b"q", questions=(("q1", 0),), memo=b"second")
    d.ledger.complete(d.thread, "", ep, (asking,), tok="t", tok2="adv", lease_ms=LEASE)
    d.answer("a", "q1")
    assert d.claim(ep, "a").tasks[0].memo == b"second"


def test_failures_are_told(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.fail(ep, "a", retry_in_ms=10)
    d.sweep(after_ms=100)
    d.claim(ep, "a")
    d.fail(ep, "a")
    assert kinds(d) == ["run", "step", "retry", "fail", "end"]


def test_an_answer_may_bring_a_config_and_another_limit(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    pair = AnswerEntry("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-2", "resume", (pair,), rnd=nonce(), cfg=b"other", stop=40)
    header = d.ledger.header(d.thread)
    assert header is not None
    assert (header.cfg, header.stop) == (b"other", 40)


def test_a_retried_advance_is_counted_anew(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.ledger.fail_advance(d.thread, "", ep, advtok="adv", error=b"e")
    d.go_on("retry")
    assert d.claim_advance(ep, max_advances=1).status == "advance"


def test_several_channels_share_what_a_claim_has_room_for(d: Driver) -> None:
    blobs = {"a@1": b"a" * 40_000, "b@1": b"b" * 40_000}
    checkpoint = CheckpointEntry("cp", b"cp", 0, tuple(blobs), blobs)
    step = SuperstepEntry(nonce(), (checkpoint,), (TaskEntry("t", b"t"),), "go", 25)
    context = d.claim(d.start(step).ep, "t").context
    assert context is not None
    assert context.channels == {"a@1": b"a" * 40_000, "b@1": None}


def test_what_a_caller_wrote_stands_in_one_place(d: Driver) -> None:
    d.start(replace(superstep("cp-0", outcome="end"), caller_writes=(b"one",)))
    d.start(SuperstepEntry(nonce(), (), (TaskEntry("a", b"a"),), "go", 25), "run-2", "cp-0")
    loaded = d.ledger.load(d.thread)
    assert loaded is not None
    assert loaded.caller_writes == CallerWrites((b"one",))
    assert d.ledger.caller_writes(d.thread, "", ("cp-0",)) == (CallerWrites(),)


def test_large_payloads_expire_with_their_stream_and_while_a_run_is_followed_they_do_not(
    d: Driver,
) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    result = ResultEntry("a", "", b"w", event=b"x" * 5_000)
    end = superstep("cp-1", outcome="end")
    d.ledger.finish(d.thread, "", ep, result, end, tok="t", tok2="adv", lease_ms=LEASE)
    both = (d.thread.events, d.thread.event_blobs)
    assert [0 < d.client.pttl(key) <= 300_000 for key in both] == [True, True]
    d.start(superstep("cp-2", "a"), "run-2", "cp-1")
    assert [d.client.pttl(key) for key in both] == [-1, -1]


def test_events_older_than_the_previous_run_go(d: Driver) -> None:
    head, many = "", tuple(CustomEntry("", "a", "t", b"x") for _ in range(500))
    for n in range(3):
        step, end = superstep(f"cp-{n}", "a"), superstep(f"cp-{n}-end", outcome="end")
        d.start(step, f"run-{n}", head)
        d.claim(step.ep, "a")
        d.ledger.emit(d.thread, f"run-{n}", many)
        d.finish(step.ep, "a", end)
        head = f"cp-{n}-end"
    assert 1_000 <= d.client.xlen(d.thread.events) < 1_500


def test_a_thread_that_an_update_creates_knows_its_graph(d: Driver) -> None:
    checkpoints = superstep("cp-0").checkpoints
    d.ledger.update(
        d.thread, checkpoints, expect="", ep="e", waiting=True, graph="g", fp="1", queue="q"
    )
    header = d.ledger.header(d.thread)
    assert header is not None
    assert (header.thread_id, header.graph, header.fp, header.queue) == ("thread", "g", "1", "q")
    assert (header.st, header.run, header.created > 0) == ("interrupted", "", True)
    assert d.client.hget(d.thread.header, "run") == b""
