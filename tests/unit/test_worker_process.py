"""What a worker process keeps beside its jobs: leases, coroutines, custom chunks."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.records import Lease
from tests.support.waiting import PATIENCE, wait_until
from workers.worker import dispatched
from workers.worker import emitter as emitter_module
from workers.worker import loop as loop_module
from workers.worker.emitter import Emitter
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
        self.told: list[str] = []

    def published(self, _: Thread, __: str, ep: str) -> None:
        self.told.append(ep)
        if len(self.told) == 1:
            raise MemoryError


def test_hints_that_are_out_are_told_also_after_any_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatched, "DELAY", 0.01)
    published = Published()
    noted = dispatched.Dispatched(lambda: cast("Ledger", published))
    noted.note(Thread("t", "1"), "", "first")
    wait_until(lambda: published.told == ["first"], "the first note to be told")
    noted.note(Thread("t", "1"), "", "second")
    wait_until(lambda: published.told == ["first", "second"], "the second note")


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


def test_the_time_to_drain_is_for_all_coroutines_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    class Ending:
        """Places of coroutines that end 1/16 s after each other, by a clock of their own."""

        def acquire(self, *, timeout: float) -> bool:
            waited.append(min(timeout, 1 / 16))
            return timeout >= 1 / 16

        def release(self) -> None: ...

    monkeypatch.setattr(loop_module, "time", SimpleNamespace(monotonic=lambda: sum(waited)))
    loop = Loop(4)
    loop._pid, loop._places = os.getpid(), cast("Any", Ending())
    assert not loop.drain(timeout=3 / 32)
    assert waited == [1 / 16, 1 / 32]
    waited.clear()
    assert loop.drain(timeout=4 / 16)


def test_a_loop_is_drained_when_its_coroutines_have_ended() -> None:
    loop, over = Loop(2), asyncio.Event()

    async def end() -> None:
        over.set()

    loop.spawn(cast("Any", over.wait()))
    assert not loop.drain(timeout=0.01)
    loop.spawn(end())
    assert loop.drain(timeout=PATIENCE)


class _Queued:
    """A lock that tells when somebody is about to wait for it."""

    def __init__(self, lock: threading.Lock, came: threading.Event) -> None:
        self._lock, self._came = lock, came

    def __enter__(self) -> None:
        self._came.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_chunks_are_out_in_order_when_the_task_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock stands still: what comes after the first chunk is always too early to go at once.
    monkeypatch.setattr(emitter_module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    sent: list[bytes] = []
    taken, go_on = threading.Event(), threading.Event()

    def send(blobs: Sequence[bytes]) -> None:
        if blobs == [b"2"]:
            taken.set()
            go_on.wait(PATIENCE)
        sent.extend(blobs)

    emitter = Emitter(encode=lambda chunk: cast("bytes", chunk), send=send)
    emitter.emit(b"1")
    emitter.emit(b"2")
    assert taken.wait(PATIENCE)
    emitter.emit(b"3")
    emitter._sending = cast("Any", _Queued(emitter._sending, go_on))
    emitter.flush()
    assert sent == [b"1", b"2", b"3"]
