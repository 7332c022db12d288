"""No script touches more than 5,000 fields or 4 MB, however wide a superstep is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from checkpoint_redis import about, commands, loading, removing
from checkpoint_redis.bundles import Bundle
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import Limit, QuestionId, ThreadKey
from checkpoint_redis.readings import ListPage
from checkpoint_redis.records import (
    AgainEntry,
    AnswerEntry,
    CheckpointEntry,
    InnerEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
    TaskEntry,
)
from checkpoint_redis.sharing import give_way
from distgraph.checkpoint.records import pack_result
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.model import Completed
from distgraph.core.plan import digest
from distgraph.effects import carry
from distgraph.errors import CorruptRecord
from tests.support.frame_driver import Frame
from tests.support.thread_driver import LEASE, Driver, nonce, superstep
from tests.support.touching import Touched, Touching, counted
from tests.support.wide import give, moves, pair

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.no_cover]
WIDTH, TOGETHER, RECORDS = 6_000, 20, 5
SERIALIZER = JsonPlusSerializer()
MOST = Touched(fields=5_000, bytes=4 * 2**20)
TIDS = tuple(digest(str(n)) for n in range(WIDTH))


class Wide(Driver):
    """Drives a thread whose supersteps have all of TIDS."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        super().__init__(client, namespace)
        self.ledger = self.touching = Touching(client)

    def staged(self) -> str:
        """Stage a superstep; return its epoch."""
        ep, tasks = nonce(), tuple(TaskEntry(tid, b"x" * 100) for tid in TIDS)
        for first in range(0, WIDTH, Limit.slice):
            self.ledger.stage(self.thread, ep, tasks[first : first + Limit.slice])
        return ep

    def begin(self, cp: str, expect: str = "") -> str:
        ep = self.staged()
        assert self.start(step(cp, ep), f"run of {cp}", expect).status == "go"
        return ep

    def claim_all(self, ep: str, tids: tuple[str, ...] = TIDS) -> None:
        for first in range(0, len(tids), TOGETHER):
            self.claim(ep, *tids[first : first + TOGETHER])

    def ask_all(self, ep: str, named: Mapping[str, str], deadline: int = 0) -> None:
        """Have each of these tasks ask what is named beside it, as a worker tells of many."""
        asks = [
            ResultEntry(t, "", b"question", questions=(QuestionEntry(q, deadline),))
            for t, q in named.items()
        ]
        self._told(ep, asks)

    def complete_all(self, ep: str, tids: tuple[str, ...]) -> None:
        self._told(ep, [ResultEntry(tid, "", b"writes") for tid in tids])

    def _told(self, ep: str, results: list[ResultEntry]) -> None:
        for first in range(0, len(results), TOGETHER):
            some = tuple(results[first : first + TOGETHER])
            self.ledger.complete(self.thread, "", ep, some, tok="t", tok2="adv", lease_ms=LEASE)

    def sweep_all(self, after_ms: int) -> None:
        self.pass_time(after_ms)
        namespace, shard = self.thread.namespace, self.thread.shard
        while self.ledger.sweep(namespace, shard, max_lost=3).more:
            pass


def step(cp: str, ep: str) -> SuperstepEntry:
    return replace(superstep(cp), staged=True, ep=ep)


@pytest.fixture
def d(redis_client: redis.Redis, namespace: str, tmp_path: Path) -> Iterator[Wide]:
    with counted(tmp_path):
        yield Wide(redis_client, namespace)


def asking(d: Wide) -> set[str]:
    loaded = d.load()
    assert loaded is not None
    return {each.tid for each in loaded.questions}


def within(d: Wide) -> bool:
    """Tell whether no script touched more than it may."""
    too_much = {
        name: most
        for name, most in d.touching.most.items()
        if most.fields > MOST.fields or most.bytes > MOST.bytes
    }
    assert not too_much
    return True


def test_a_wide_superstep_from_its_start_to_its_commit(d: Wide) -> None:
    ep = d.begin("cp-0")
    d.sweep_all(after_ms=Limit.outbox_ms + 1)
    cursor, _ = d.ledger.outbox(d.thread, "", ep)
    while cursor:
        cursor, _ = d.ledger.outbox(d.thread, "", ep, cursor)
    d.claim_all(ep)
    d.sweep_all(after_ms=LEASE + 1)
    d.claim_all(ep)
    d.complete_all(ep, TIDS[:-1])
    assert d.complete(ep, TIDS[-1]).closing == "advance"
    next_ep = d.staged()
    assert d.commit(ep, step("cp-1", next_ep)).status == "go"
    assert within(d)


def test_a_wide_superstep_that_asks_is_read_and_answered(d: Wide) -> None:
    ep = d.begin("cp-0")
    d.claim_all(ep)
    d.ask_all(ep, {tid: f"question of {tid}" for tid in TIDS})
    assert asking(d) == set(TIDS)
    looked_up = tuple(f"question of {tid}" for tid in TIDS[: Limit.looked_up])
    found = d.ledger.call(commands.asked(d.thread, looked_up))
    assert found is not None
    assert [tid for tid, _ in found.waiting.values()] == list(TIDS[: Limit.looked_up])
    assert d.touching.most["asked"].fields < 10 * Limit.looked_up
    assert list_all(d)
    assert d.answer("unknown", "q").status == "no_interrupt"
    assert d.answer(TIDS[-1], f"question of {TIDS[-1]}").status == "go"
    assert asking(d) == set(TIDS[:-1])
    assert within(d)


def ask_all(d: Wide) -> str:
    """Bring the thread to a pause in which all of TIDS ask."""
    ep = d.begin("cp-0")
    d.claim_all(ep)
    d.ask_all(ep, {tid: f"{tid}1" for tid in TIDS})
    return ep


def test_all_of_a_wide_superstep_is_answered(d: Wide) -> None:
    ask_all(d)
    answers = [AnswerEntry("", tid, f"{tid}1", b"yes") for tid in TIDS]
    answers[0] = replace(answers[0], blob=b"x" * 2**20)
    refused = give(d, *answers[1:], pair(TIDS[0], 2), run="refused")
    assert (refused.status, refused.unknown) == ("no_interrupt", f"{TIDS[0]}2")
    assert (d.status, asking(d)) == ("interrupted", set(TIDS))
    assert give(d, *answers).moves
    assert set().union(*moves(d)) == set(TIDS)
    assert set(d.states().values()) == {"Q"}
    assert within(d)


def test_all_of_a_wide_superstep_is_asked_again(d: Wide) -> None:
    ask_all(d)
    assert d.go_on("reask").moves
    assert set().union(*moves(d)) == set(TIDS)
    assert set(d.states().values()) == {"Q"}
    assert within(d)


def test_all_breakpoints_of_a_wide_superstep_are_released(d: Wide) -> None:
    ep = d.begin("cp-0")
    d.claim_all(ep)
    d.ask_all(ep, dict.fromkeys(TIDS[1:], QuestionId.stopped))
    d.ask(ep, TIDS[0], "q1")
    assert d.answer(TIDS[0], "q1").moves
    assert set().union(*moves(d)) == set(TIDS[1:])
    assert set(d.states().values()) == {"Q"}
    assert within(d)


def test_all_of_a_wide_superstep_is_tried_again(d: Wide) -> None:
    ep = d.begin("cp-0")
    d.claim_all(ep)
    for tid in TIDS:
        d.fail(ep, tid)
    assert d.go_on("retry").moves
    d.sweep_all(after_ms=Limit.outbox_ms)
    assert set(d.states().values()) == {"Q"}
    assert within(d)


@pytest.mark.parametrize("end", ["cancel", "delete", "start"])
def test_a_wide_superstep_that_is_dropped(d: Wide, end: str) -> None:
    ep = d.begin("cp-0")
    d.claim_all(ep)
    d.ask_all(ep, {tid: f"question of {tid}" for tid in TIDS[WIDTH // 2 :]}, deadline=1)
    if end == "delete":
        d.ledger.delete(d.thread)
    else:
        d.ledger.cancel(d.thread, "", ep=nonce())
    if end == "start":
        d.begin("cp-1", "cp-0")
    d.sweep_all(after_ms=LEASE + 1)
    assert d.due() <= {"|d"}
    assert within(d)


def parked(d: Wide, ep: str, tids: tuple[str, ...]) -> None:
    """Have tasks wait for an answer in graphs that they call, of which some results are there."""
    for tid in tids:
        frame = FrameName(f"node:{tid}")
        for new_ep, what in (
            ("e", InnerEntry(frame, "", "", (), superstep("in-0").checkpoints)),
            ("f", InnerEntry(frame, "e", "in-0", (b"record",) * RECORDS)),
        ):
            assert d.ledger.inner(d.thread, ep, tid, what, tok="t", new_ep=new_ep) == "ok"
        d.ask(ep, tid, f"question of {tid}")


@pytest.mark.parametrize("count", [Limit.dropped // 2, Limit.slice])
def test_graphs_that_wait_inside_a_superstep_that_is_dropped(d: Wide, count: int) -> None:
    tids = TIDS[:count]
    ep = d.begin("cp-0") if count > Limit.dropped else d.started(*tids)
    d.claim_all(ep, tids)
    parked(d, ep, tids)
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.sweep_all(after_ms=0)
    assert within(d)
    assert not [field for field in d.client.hkeys(d.thread.checkpoints) if field[:2] == b"p|"]


@pytest.mark.parametrize(("count", "size"), [(WIDTH, 10), (40, 2**18)])
def test_a_long_log_of_a_saver(d: Wide, count: int, size: int) -> None:
    d.start(superstep("cp-0", outcome="end"))
    records = [b"x" * size + b"%d" % n for n in range(count)]
    together = min(Limit.slice, 2**21 // size)
    for first in range(0, count, together):
        some = tuple(records[first : first + together])
        put = commands.put_writes(d.thread, "", "cp-0", some, asks=False, new_ep=nonce())
        assert d.ledger.call(put).status == "ok"
    loaded = d.load()
    assert loaded is not None
    assert list(loaded.log) == records
    assert within(d)


LARGE, LARGE_BYTES, MOST_BESIDE = TIDS[:30], 250_000, 100


def test_a_superstep_of_large_results_is_read_in_slices(d: Wide) -> None:
    ep = d.started(*LARGE)
    d.claim(ep, *LARGE)
    for tid in LARGE[:-1]:
        d.complete(ep, tid, blob=b"x" * LARGE_BYTES)
    assert set(d.writes()) == set(LARGE[:-1])
    d.complete(ep, LARGE[-1], blob=b"y" * LARGE_BYTES)
    writes = carry(loading.writes(d.thread, "", ep), d.ledger.call)
    assert {len(each) for each in writes.values()} == {LARGE_BYTES}
    assert d.commit(ep, superstep("cp-1", outcome="end")).status == "end"
    left = carry(loading.left(d.thread, "", "cp-0", None), d.ledger.call)
    assert {each.tid: each.result for each in left} == writes
    assert set(writes) == set(LARGE)
    assert within(d)


def test_large_results_give_way_in_slices(d: Wide) -> None:
    tids = LARGE[:12]  # a commit brings its values in one piece
    ep = d.started(*tids)
    d.claim(ep, *tids)
    items = {tid: tid * (LARGE_BYTES // len(tid)) for tid in tids}
    writes = {
        tid: SERIALIZER.dumps(pack_result(Completed(writes=(("xs", [item]),))))
        for tid, item in items.items()
    }
    for tid, blob in writes.items():
        d.complete(ep, tid, blob=blob)
    value = {"xs@1": SERIALIZER.dumps(list(items.values()))}
    checkpoint = CheckpointEntry("cp-1", b"cp-1", 1, ("xs@1",), value)
    step = SuperstepEntry(nonce(), (checkpoint,), (), "end")
    assert d.commit(ep, step).status == "end"
    carry(give_way(d.thread, "", "cp-0", writes, value), d.ledger.call)
    kept = d.client.hvals(f"{d.thread.prefix}l:|cp-0")
    assert max(map(len, kept)) < MOST_BESIDE
    assert within(d)
    left = carry(loading.left(d.thread, "", "cp-0", None), d.ledger.call)
    assert {each.tid: each.result for each in left} == writes


def test_a_superstep_of_large_questions_is_read_in_slices(d: Wide) -> None:
    ep = d.started(*LARGE)
    d.claim(ep, *LARGE)
    for tid in LARGE:
        question = ResultEntry(tid, "", b"?" * LARGE_BYTES, questions=(QuestionEntry(f"q-{tid}"),))
        d.ledger.complete(d.thread, "", ep, (question,), tok="t", tok2="adv", lease_ms=LEASE)
    loaded = d.load()
    assert loaded is not None
    assert {each.tid: len(each.blob) for each in loaded.questions} == dict.fromkeys(
        LARGE, LARGE_BYTES
    )
    assert within(d)


@pytest.mark.parametrize(("count", "size"), [(3_000, 2_000), (6_000, 2_000)])
def test_the_names_of_many_fields_are_read_without_their_values(
    d: Wide, count: int, size: int
) -> None:
    d.start(superstep("cp-0", outcome="end"))
    names = [f"v||{number}" for number in range(count)]
    for first in range(0, count, 1_000):
        some = dict.fromkeys(names[first : first + 1_000], b"x" * size)
        d.client.hset(d.thread.checkpoints, mapping=some)
    cursor, found, calls = 0, set[str](), 0
    while not calls or cursor:
        cursor, part = d.ledger.call(commands.fields(d.thread, cursor))
        found.update(part)
        calls += 1
    assert found >= set(names)
    assert (calls == 1) == (count < Limit.named)
    assert within(d)


def test_a_log_that_goes_while_it_is_read_is_read_anew(d: Wide) -> None:
    d.start(superstep("cp-0", outcome="end"))
    records = (b"x",) * (Limit.inline_fields + 1)
    put = commands.put_writes(d.thread, "", "cp-0", records, asks=False, new_ep=nonce())
    assert d.ledger.call(put).status == "ok"
    calls = itertools.count(1)

    def call(command: Script[Any] | Plain[Any]) -> Any:
        if next(calls) == 2:
            d.ledger.delete(d.thread)
        return d.ledger.call(command)

    assert carry(loading.load(d.thread), call) is None


def test_a_log_that_lost_a_record_is_damaged(d: Wide) -> None:
    d.start(superstep("cp-0", outcome="end"))
    put = commands.put_writes(d.thread, "", "cp-0", (b"x",) * 3, asks=False, new_ep=nonce())
    assert d.ledger.call(put).status == "ok"
    d.client.hdel(d.thread.checkpoints, "p||cp-0|1")
    with pytest.raises(CorruptRecord, match="Of 3 records"):
        d.load()


def test_what_many_tasks_sent_is_dropped(d: Wide) -> None:
    tids = TIDS[: WIDTH // 2]
    ep = d.begin("cp-0")
    d.claim_all(ep, tids)
    for tid in tids:
        bundle = Bundle(tid, (b"packet",) * Limit.few_packets)
        result = ResultEntry(tid, "", b"writes", packets=(bundle,))
        d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert d.client.hlen(d.thread.checkpoints) > len(tids) * Limit.few_packets
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.sweep_all(after_ms=LEASE + 1)
    assert d.client.hlen(d.thread.checkpoints) < 10
    assert within(d)


@pytest.mark.parametrize("opened", [False, True])
def test_a_thread_of_many_parts_is_deleted(d: Wide, opened: bool) -> None:
    if opened:
        ep = d.started(*TIDS[: Limit.dropped // 2])
        d.claim_all(ep, TIDS[: Limit.dropped // 2])
    else:
        d.start(superstep("cp-0", outcome="end"))
    pipe = d.client.pipeline()
    for tid in TIDS[:2_000]:
        name, prefix = FrameName(f"node:{tid}"), d.thread.prefix
        pipe.hset(d.thread.frames, name.hash, name.name)
        pipe.hset(d.thread.frame(name.hash), "name", name.name)
        pipe.sadd(f"{prefix}{ThreadKey.bundles}", tid)
        pipe.hset(f"{prefix}{ThreadKey.bundle}{tid}", "0", "packet")
        pipe.sadd(f"{prefix}{ThreadKey.wide}", tid)
        pipe.hset(f"{prefix}{ThreadKey.left}{tid}", "a", "writes")
    pipe.execute()
    assert carry(removing.delete(d.thread), d.ledger.call).status == "ok"
    assert d.stored() == set()
    assert within(d)


def test_a_superstep_that_changes_while_it_is_read_is_read_anew(d: Wide) -> None:
    d.begin("cp-0")
    calls = itertools.count(1)

    def call(command: Script[Any] | Plain[Any]) -> Any:
        if next(calls) == 4:
            d.ledger.cancel(d.thread, "", ep=nonce())
        return d.ledger.call(command)

    loaded = carry(loading.load(d.thread), call)
    assert loaded is not None
    assert (loaded.tasks, loaded.header.st) == ((), "idle")


# --- lists of threads -----------------------------------------------------------------------------


def list_all(d: Wide) -> bool:
    """List all threads of the shard, as many at once as there are."""
    sought, page = about.Sought(), ListPage("", 0, ())
    while page.place or not page.looked:
        page = d.ledger.threads(
            d.thread.namespace, d.thread.shard, sought, page.place, Limit.listed
        )
    return within(d)


@pytest.mark.parametrize(("count", "size"), [(30, 10), (100, 10), (5, 12_000), (1, 2**21)])
def test_a_list_of_threads_that_ask(d: Wide, count: int, size: int) -> None:
    """However many tasks of a thread ask, packed or not, and however much."""
    names, tids = (str(n) for n in range(100_000)), TIDS[:count]
    others = (Driver(d.client, d.thread.namespace, name) for name in names)
    same = (each for each in others if each.thread.shard == d.thread.shard)
    asked = tuple(ResultEntry(t, "", b"x" * size, questions=(QuestionEntry(t),)) for t in tids)
    for each in itertools.islice(same, 60):
        ep = each.started(*tids)
        each.claim(ep, *tids)
        each.ledger.complete(each.thread, "", ep, asked, tok="t", tok2="a", lease_ms=LEASE)
    assert list_all(d)


def test_a_thousand_tasks_are_parked_go_up_and_are_dropped(d: Wide) -> None:
    tids = TIDS[: Limit.slice]
    ep = d.begin("cp-0")
    d.claim_all(ep, tids)
    frames = [Frame(d, f"node:{tid}", tid=tid) for tid in tids]
    for frame in frames:
        assert frame.park(ep, "x", "y").status == "parked"
    for frame in frames[: Limit.together]:
        frame.claim("x", "y")
        assert len(frame.fail("x").up) == 1
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.sweep_all(after_ms=LEASE + 1)
    assert within(d)
    assert {key[:2] for key in d.stored()} <= {"h", "c", "fs", "f:", "i", "e"}


def test_a_wide_superstep_inside_a_task(d: Wide) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    frame, tasks = Frame(d, "node:a"), tuple(TaskEntry(tid, b"x") for tid in TIDS[:2_000])
    opened = step("in-0", nonce())
    for first in range(0, len(tasks), Limit.slice):
        d.ledger.stage(d.thread, opened.ep, tasks[first : first + Limit.slice])
    assert frame.park(ep, step=opened).status == "parked"
    for first in range(0, len(tasks), TOGETHER):
        frame.claim(*TIDS[first : first + TOGETHER])
    assert len(frame.fail(TIDS[0]).up) == 1
    d.claim(ep, "a", tok="t2")
    d.fail(ep, "a", tok="t2")
    d.go_on("retry")
    d.claim(ep, "a", tok="t3")
    again = (AgainEntry(TIDS[0]),)
    assert len(frame.park(ep, again=again, tok="t3").hints) == 1
    d.ledger.cancel(d.thread, "", ep=nonce())
    d.sweep_all(after_ms=LEASE + 1)
    assert frame.keys() == {"f:"}
    assert within(d)
