"""Short back-offs end in time, and many of them cost few timers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.waiting import wait_until
from workers.worker import backoffs as module
from workers.worker.backoffs import Backoffs


def test_a_shard_is_swept_when_its_back_off_is_over() -> None:
    swept: list[int] = []
    Backoffs(swept.append).add(7, 0.01)
    wait_until(lambda: swept == [7], "the sweep")


def test_back_offs_that_end_together_share_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    swept: list[int] = []
    backoffs = Backoffs(swept.append)
    for n in range(1_000):
        backoffs.add(7, 0.05 + n / 1_000_000)
    for delay in (0.2, 0.2):
        backoffs.add(8, delay)
    wait_until(lambda: 8 in swept, "the last sweep")
    assert swept == [7, 8]
