"""What a worker process keeps beside its jobs: leases, coroutines, custom chunks."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from checkpoint_redis import commands
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import Lease
from distgraph.errors import StoreError
from tests.support.waiting import PATIENCE, wait_until
from workers.shared import dispatched
from workers.worker import emitter as emitter_module
from workers.worker import killing
from workers.worker.bulletin import Bulletin
from workers.worker.emitter import Emissions, Emitter, Streaming
from workers.worker.leases import Leases
from workers.worker.loop import Loop

AT_ONCE, TRIALS = 4, 300


@pytest.fixture
def eager_switching() -> Iterator[None]:
    """Make threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


def lease(tid: int) -> Lease:
    return Lease("x", "", "ep", str(tid), "token")


@pytest.mark.usefixtures("eager_switching")
def test_jobs_that_begin_at_once_keep_their_leases() -> None:
    for _ in range(TRIALS):
        leases = Leases(lambda: cast("Ledger", None), "t", 1_000, 3_600.0)
        ready = threading.Barrier(AT_ONCE)

        def begin(tid: int, ready: threading.Barrier = ready, kept: Leases = leases) -> None:
            ready.wait()
            kept.add(lease(tid))

        threads = [threading.Thread(target=begin, args=(tid,)) for tid in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(leases.held()) == AT_ONCE


class Failing:
    """A ledger whose first beat fails with something that no store raises."""

    def __init__(self) -> None:
        self.beats = 0

    def together(self, given: Sequence[object]) -> list[list[bool]]:
        self.beats += 1
        if self.beats == 1:
            raise MemoryError
        return [[True] for _ in given]


def test_leases_are_renewed_again_after_any_failure() -> None:
    failing = Failing()
    leases = Leases(lambda: cast("Ledger", failing), "t", 1_000, 0.01)
    leases.add(Lease("a" * 24, "", "ep", "1", "token"))
    wait_until(lambda: failing.beats > 1, "the second beat")


class Published:
    """A ledger that is told which hints are out, and fails at first."""

    def __init__(self) -> None:
        self.told: list[Script[bool]] = []

    def together(self, given: Sequence[Script[bool]]) -> Iterator[bool]:
        self.told += given
        if len(self.told) == 1:
            raise MemoryError
        return iter([True])


def test_hints_that_are_out_are_told_also_after_any_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatched, "DELAY", 0.01)
    published = Published()
    noted = dispatched.Dispatched(lambda: cast("Ledger", published))
    thread = Thread("t", "1")
    first, second = (commands.published(thread, "", ep) for ep in ("first", "second"))
    noted.note(thread, "", "first")
    wait_until(lambda: published.told == [first], "the first note to be told")
    noted.note(thread, "", "second")
    wait_until(lambda: published.told == [first, second], "the second note")


@pytest.mark.usefixtures("eager_switching")
def test_jobs_that_begin_at_once_share_what_they_note() -> None:
    for _ in range(TRIALS):
        noted = dispatched.Dispatched(lambda: cast("Ledger", None))
        ready = threading.Barrier(AT_ONCE)
        found: list[object] = []

        def note(
            at: threading.Barrier = ready,
            into: list[object] = found,
            where: dispatched.Dispatched = noted,
        ) -> None:
            at.wait()
            into.append(where._mine())

        threads = [threading.Thread(target=note) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(each) for each in found}) == 1


def test_only_coroutine_jobs_are_given_back() -> None:
    leases = Leases(lambda: cast("Ledger", None), "t", 1_000, 3_600.0)
    leases.add(lease(1))
    with leases.holding(lease(2)):
        assert set(leases.held()) == {lease(1), lease(2)}
        assert leases.of_coroutines() == (lease(1),)
    leases.drop(lease(1))
    assert leases.held() == leases.of_coroutines() == ()


class Losing:
    """A ledger that has given everything to others; `killed` are threads to be ended."""

    def __init__(self, *killed: str) -> None:
        self.killed = killed

    def together(self, given: Sequence[object]) -> list[list[bool]]:
        return [[False] for _ in given]

    def call(self, command: Plain[bool]) -> bool:
        return any(str(word).endswith(f":kill:{x}") for x in self.killed for word in command.words)


def test_a_coroutine_whose_lease_is_lost_is_ended_and_does_not_count() -> None:
    leases = Leases(lambda: cast("Ledger", Losing()), "t", 1_000, 3_600.0)
    ended: list[int] = []
    held = Lease("a" * 24, "", "ep", "1", "token")
    leases.add(held)
    assert leases.begin(held, lambda: ended.append(1))
    leases.beat()
    assert ended == [1]
    assert not leases.holds(held)
    assert not leases.begin(held, lambda: None)  # one that comes too late does not begin


@pytest.mark.parametrize("process", ["MainProcess", "ForkPoolWorker-1"])
@pytest.mark.parametrize("killed", ["a" * 24, "b" * 24])
def test_a_blocking_node_in_vain_is_ended_in_a_pool_where_somebody_wants_it(
    monkeypatch: pytest.MonkeyPatch, process: str, killed: str
) -> None:
    signals: list[int] = []
    monkeypatch.setattr(killing, "current_process", lambda: SimpleNamespace(name=process))
    monkeypatch.setattr(signal, "pthread_kill", lambda _, number: signals.append(number))
    leases = Leases(lambda: cast("Ledger", Losing(killed)), "t", 1_000, 3_600.0)
    with leases.holding(held := Lease("a" * 24, "", "ep", "1", "token")):
        leases.beat()
        assert not leases.holds(held)
        leases.beat()  # an order that comes later is seen too
    leases.beat()
    is_ended = process != "MainProcess" and killed == "a" * 24
    assert signals == [signal.SIGTERM] * (2 if is_ended else 0)


def test_the_time_to_drain_is_for_all_coroutines_together() -> None:
    waited: list[float] = []

    class Ending:
        """Places of coroutines that end 1/16 s after each other, by a clock of their own."""

        def acquire(self, *, timeout: float) -> bool:
            waited.append(min(timeout, 1 / 16))
            return timeout >= 1 / 16

        def release(self) -> None: ...

    loop = Loop(4, nothing)
    loop._pid, loop._places = os.getpid(), cast("Any", Ending())
    assert not loop.drain(lambda: 3 / 32 - sum(waited))
    assert waited == [1 / 16, 1 / 32]
    waited.clear()
    assert loop.drain(lambda: 4 / 16 - sum(waited))


def test_a_loop_is_drained_when_its_coroutines_have_ended() -> None:
    loop, over = Loop(2, nothing), asyncio.Event()

    async def end() -> None:
        over.set()

    loop.spawn(cast("Any", over.wait()))
    assert not loop.drain(lambda: 0.0)
    loop.spawn(end())
    assert loop.drain(lambda: PATIENCE)


def test_a_loop_that_is_closed_takes_nothing_until_it_is_opened() -> None:
    loop, ran = Loop(2, nothing), list[int]()

    async def node() -> None:
        ran.append(len(ran))

    loop.close()
    assert not loop.spawn(node())
    loop.open()
    assert loop.spawn(node())
    assert loop.drain(lambda: PATIENCE)
    assert ran == [0]


def test_who_ends_is_told_the_earliest_moment_alone() -> None:
    bulletin = Bulletin()
    assert bulletin.ends_at is None
    bulletin.end_by(math.inf)
    bulletin.end_by(7.0)
    bulletin.end_by(9.0)
    assert bulletin.ends_at == 7.0
    bulletin.renew()
    assert bulletin.ends_at is None


def test_a_task_that_was_cut_short_once_is_known() -> None:
    bulletin = Bulletin()
    assert [bulletin.was_cut(tid) for tid in ("a", "b", "a")] == [False, False, True]


def test_a_fork_is_told_what_comes_later() -> None:
    bulletin = Bulletin()
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        told = 0
        try:
            os.read(reader, 1)
            told = int(bulletin.ends_at or 0)
        finally:  # whatever happens, this is no second run of the tests
            os._exit(told)
    bulletin.end_by(7.0)
    os.write(writer, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def nothing() -> None:
    """Take no notice of a loop that broke."""


def test_a_loop_goes_on_that_a_node_has_stopped() -> None:
    loop = Loop(2, nothing)

    async def node() -> int:
        asyncio.get_running_loop().stop()
        return id(asyncio.get_running_loop())

    ran = [loop.spawn(cast("Any", node())) for _ in range(2)]
    first, second = (each.result(PATIENCE) for each in ran if each)
    assert first == second != None  # noqa: E711


def test_a_loop_that_broke_is_given_up_for_another_one() -> None:
    given_up, broken = threading.Event(), list[asyncio.AbstractEventLoop]()
    loop = Loop(1, given_up.set)

    def fails(_: float) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    async def breaks() -> None:
        broken.append(asyncio.get_running_loop())
        broken[0]._selector.select = fails  # type: ignore[attr-defined]

    async def node() -> str:
        return "ran"

    loop.spawn(breaks())
    # Nobody is told any more that it ended: its only place is taken for ever.
    ran = loop.spawn(cast("Any", node()))
    assert ran
    assert ran.result(PATIENCE) == "ran"
    assert given_up.is_set()
    broken[0].close()


def test_a_loop_goes_on_when_a_task_that_a_node_started_exits() -> None:
    loop, caught = Loop(2, nothing), list[Any]()

    async def leave() -> None:
        sys.exit(3)

    async def node() -> None:
        try:
            await asyncio.gather(leave())
        except SystemExit as error:
            caught.append(error)

    for _ in range(2):
        loop.spawn(node())
        assert loop.drain(lambda: PATIENCE)
    assert [error.code for error in caught] == [3, 3]


# --- custom chunks --------------------------------------------------------------------------------


class Told:
    """A ledger's place: notes what is sent, and in which thread; waits where it is told to."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []
        self.threads: set[str] = set()
        self.go_on = threading.Event()
        self.go_on.set()
        self.failing: Exception | None = None

    def together(self, given: Sequence[Script[bool]]) -> Iterator[bool]:
        self.threads.add(threading.current_thread().name)
        self.sent.append([blob for command in given for blob in command.args[1:]])
        assert self.go_on.wait(PATIENCE)
        if self.failing:
            raise self.failing
        yield True


def emitters(told: Told, count: int) -> list[Emitter]:
    emissions = Emissions(lambda: cast("Ledger", told))
    thread = Thread("t", "thread")
    return [
        emissions.emitter(
            Streaming(thread, "run", "", f"{n}", "t"), lambda chunk: cast("bytes", chunk), ""
        )
        for n in range(count)
    ]


def test_chunks_are_out_in_order_when_the_task_ends() -> None:
    told = Told()
    (emitter,) = emitters(told, 1)
    told.go_on.clear()
    emitter.emit(b"1")
    wait_until(lambda: told.sent == [[b"1"]], "the first chunk to be on its way")
    emitter.emit(b"2")
    emitter.emit(b"3")
    end = emitter.sent()
    assert not end.done()
    told.go_on.set()
    end.result(PATIENCE)
    assert told.sent == [[b"1"], [b"2", b"3"]]


def test_who_never_streamed_waits_for_nobody_at_the_end() -> None:
    told = Told()
    (emitter,) = emitters(told, 1)
    assert emitter.sent().done()
    assert not told.threads


async def test_coroutines_that_stream_never_send_by_themselves() -> None:
    told = Told()
    streaming = emitters(told, 40)
    told.go_on.clear()
    for emitter in streaming:
        emitter.emit(b"1")
        emitter.emit(b"2")
    ends = [asyncio.wrap_future(emitter.sent()) for emitter in streaming]
    told.go_on.set()
    await asyncio.gather(*ends)
    assert told.threads == {"distgraph-emit"}
    # What came while the first round trip was under way, of all of them, made the second one.
    assert len(told.sent) <= 2
    assert sorted(blob for sent in told.sent for blob in sent) == [b"1"] * 40 + [b"2"] * 40


def test_a_thread_that_streams_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter_module, "MOST_WAITING", 3)
    told = Told()
    (emitter,) = emitters(told, 1)
    told.go_on.clear()
    came = threading.Event()

    def emit() -> None:
        for _ in range(10):
            emitter.emit(b"x")
        came.set()

    threading.Thread(target=emit, daemon=True).start()
    wait_until(lambda: len(emitter._line.waiting) == 3, "as many as may to wait")
    assert not came.is_set()
    told.go_on.set()
    assert came.wait(PATIENCE)
    emitter.sent().result(PATIENCE)


def test_what_one_script_may_bear_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter_module, "MOST_BYTES", 10)
    monkeypatch.setattr(emitter_module, "MOST_CHUNKS", 3)
    told = Told()
    (emitter,) = emitters(told, 1)
    told.go_on.clear()
    for blob in (b"first", b"eight by", b"22", b"1", b"1", b"1", b"1", b"over eleven", b"1"):
        emitter.emit(blob)
    told.go_on.set()
    emitter.sent().result(PATIENCE)
    rest = [b"eight by", b"22"], [b"1", b"1", b"1"], [b"1"], [b"over eleven"], [b"1"]
    assert told.sent == [[b"first"], *rest]


@pytest.mark.parametrize("error", [StoreError("refused"), RuntimeError("ours")])
def test_chunks_that_are_lost_hold_up_nobody(error: Exception) -> None:
    told = Told()
    (emitter,) = emitters(told, 1)
    told.failing = error
    emitter.emit(b"1")
    emitter.sent().result(PATIENCE)
    told.failing = None
    emitter.emit(b"2")
    emitter.sent().result(PATIENCE)
    assert told.sent == [[b"1"], [b"2"]]
