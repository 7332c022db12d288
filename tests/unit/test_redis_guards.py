"""Each guard of a script keeps one rule; with the guard taken out, its test fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from distgraph.errors import StoreError
from tests.support.guards import (
    Guard,
    adoption,
    answers,
    asked,
    attempts,
    barrier,
    beneath,
    caller_writes,
    callers,
    calls,
    deadlines,
    dropped_below,
    ended,
    events,
    formats,
    formats_noted,
    formats_swept,
    found,
    framed,
    frames,
    going_up,
    gone_up,
    inside,
    leases,
    left,
    listed,
    listings,
    older,
    packets,
    packets_gone,
    parked,
    past,
    rejoined,
    rest,
    results,
    runs,
    savers,
    segments,
    shared,
    shown,
    supersteps,
    unserved,
    wide_again,
    wide_answers,
    wide_moves,
)
from tests.support.thread_driver import Driver, mutated

pytestmark = pytest.mark.redis
TOPICS = (
    adoption,
    answers,
    asked,
    attempts,
    barrier,
    beneath,
    callers,
    caller_writes,
    calls,
    deadlines,
    dropped_below,
    ended,
    events,
    formats,
    formats_noted,
    formats_swept,
    found,
    framed,
    frames,
    inside,
    going_up,
    gone_up,
    leases,
    left,
    listed,
    listings,
    older,
    packets,
    packets_gone,
    parked,
    past,
    rejoined,
    rest,
    results,
    runs,
    savers,
    segments,
    shared,
    shown,
    supersteps,
    unserved,
    wide_again,
    wide_answers,
    wide_moves,
)
GUARDS = [guard for topic in TOPICS for guard in topic.GUARDS]
WITHOUT_GUARD = [
    keeps for topic in (wide_again, wide_answers, wide_moves) for keeps in topic.WITHOUT_GUARD
]
ALL = pytest.mark.parametrize("guard", GUARDS, ids=[guard.keeps.__name__ for guard in GUARDS])


@ALL
def test_the_scripts_keep(redis_client: redis.Redis, namespace: str, guard: Guard) -> None:
    guard.keeps(Driver(redis_client, namespace))


@ALL
def test_only_by_its_guard(
    redis_client: redis.Redis, namespace: str, guard: Guard, tmp_path: Path
) -> None:
    driver = Driver(redis_client, namespace)
    with (
        mutated(tmp_path, guard.script, guard.guard, guard.without),
        pytest.raises((AssertionError, StoreError)),
    ):
        guard.keeps(driver)


@pytest.mark.parametrize("keeps", WITHOUT_GUARD)
def test_by_more_than_a_line(
    redis_client: redis.Redis, namespace: str, keeps: Callable[[Driver], None]
) -> None:
    keeps(Driver(redis_client, namespace))
