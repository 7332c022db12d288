"""Short back-offs end in time, and many of them cost few sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from tests.support.waiting import wait_until
from workers.worker import backoffs as module
from workers.worker.backoffs import Backoffs


def test_a_shard_is_swept_when_its_back_off_is_over() -> None:
    swept: list[Sequence[int]] = []
    Backoffs(swept.append).add(7, 0.01)
    wait_until(lambda: swept == [(7,)], "the sweep")


def test_back_offs_that_end_together_share_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(module, "time", clock)
    swept: list[Sequence[int]] = []
    backoffs = Backoffs(swept.append)
    for n in range(1_000):
        backoffs.add(7, 0.52 + n / 100_000)
        backoffs.add(8, 0.8)
    (mine,) = backoffs._by_pid.values()
    assert len(mine.ends) == 2
    clock.monotonic = lambda: 200.0
    backoffs.add(9, -50.0)
    wait_until(lambda: swept == [(7, 8, 9)], "the sweep")


def test_a_sweep_that_fails_is_not_the_last() -> None:
    swept: list[Sequence[int]] = []

    def sweep(shards: Sequence[int]) -> None:
        swept.append(shards)
        raise OSError("once")

    backoffs = Backoffs(sweep)
    for shard in (7, 8):
        backoffs.add(shard, 0.01)
        wait_until(lambda shard=shard: (shard,) in swept, "the sweep")  # type: ignore[misc]
