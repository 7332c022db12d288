"""Short back-offs end in time, and many of them cost few timers."""

from __future__ import annotations

import threading

from tests.support.waiting import wait_until
from workers.worker.backoffs import Backoffs


def test_a_shard_is_swept_when_its_back_off_is_over() -> None:
    swept: list[int] = []
    Backoffs(swept.append).add(7, 0.01)
    wait_until(lambda: swept == [7], timeout=5, what="the sweep")


def test_back_offs_that_end_together_share_a_timer() -> None:
    swept: list[int] = []
    backoffs = Backoffs(swept.append)
    before = threading.active_count()
    for _ in range(1_000):
        backoffs.add(7, 0.3)
    assert threading.active_count() - before <= 10
    wait_until(lambda: bool(swept), timeout=5, what="the sweep")
