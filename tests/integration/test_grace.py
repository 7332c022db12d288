"""Coroutine nodes outlast their jobs: a process that goes waits for them, as long as its grace."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.layout import TaskState
from tests.support.celery_worker import CeleryWorker
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow]
# Nobody looks after what is overdue, and no lease runs out: what goes on was handed over.
ALONE = {"lease": 3_600.0, "heartbeat": 1.0, "sweep": 3_600.0}
SERVE = {"SERVE": "block,last,steps"}
ONE_JOB = ("--max-tasks-per-child", "1")
RECYCLING = {"each job": ONE_JOB, "memory": ("--max-memory-per-child", "1000")}


class Lasting:
    """A coroutine node that runs on a worker of its own until its gate opens."""

    def __init__(self, site: Site, thread_id: str, log: Path, **worker: Any) -> None:
        self.site, self.thread_id, self.log = site, thread_id, log
        self.gate = log.with_name("gate")
        (self.worker,) = self.elsewhere(**worker)
        given = {"log": str(log), "gate": str(self.gate)}
        self.run = site.graphs["last"].submit(given, on(thread_id))
        self.begins(1)

    def elsewhere(self, env: dict[str, str] | None = None, **worker: Any) -> list[CeleryWorker]:
        return self.site.start(1, **{"concurrency": 1, "env": {**SERVE, **(env or {})}, **worker})

    def words(self) -> list[str]:
        return [line.split()[0] for line in lines(self.log)]

    def begins(self, times: int) -> None:
        wait_until(lambda: self.words().count("begins") == times, f"beginning {times} of the node")

    def is_as_new(self) -> bool:
        loaded = self.site.backend.ledger.load(self.site.backend.thread_key(self.thread_id))
        assert loaded is not None
        (task,) = loaded.tasks
        found = (task.st, task.att, task.lost)
        return bool(found == (TaskState.running, 1, 0))

    def shrinks(self) -> None:
        """Take one process from the pool of its worker; others hear of it on this broker."""
        control = self.site.backend.app.control
        control.pool_shrink(1, destination=[self.worker.name], reply=True)

    def ends(self) -> None:
        self.gate.touch()
        assert self.run.result(timeout=PATIENCE)["done"] == "coroutine"


@pytest.fixture
def lasting(own_site: Callable[..., Site], thread_id: str, log: Path) -> Callable[..., Lasting]:
    """Give a function that starts such a node; `grace` bounds how long it is waited for."""

    def start(grace: float | None = None, **worker: Any) -> Lasting:
        settings = ALONE if grace is None else {**ALONE, "grace": grace}
        return Lasting(own_site(**settings), thread_id, log, **worker)

    return start


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_worker_that_is_asked_to_end_waits_for_its_coroutines(
    lasting: Callable[..., Lasting], pool: str
) -> None:
    node = lasting(pool=pool)
    os.kill(node.worker.pid, signal.SIGTERM)
    wait_until(lambda: "Warm shutdown" in node.worker.output, "the signal to be heard")
    node.elsewhere()
    node.ends()
    assert node.words() == ["begins", "ends"]
    wait_until(lambda: not node.worker.alive, "the worker to leave")


@pytest.mark.parametrize("how", RECYCLING)
def test_a_process_that_is_recycled_waits_for_its_coroutines(
    lasting: Callable[..., Lasting], how: str
) -> None:
    node = lasting(options=RECYCLING[how], concurrency=2)
    # Jobs that come meanwhile are not given to it.
    node.site.graphs["steps"].submit({}, on(f"{node.thread_id}-2")).result(PATIENCE)
    node.ends()
    assert node.words() == ["begins", "ends"]


def test_a_pool_that_shrinks_waits_for_the_coroutines_of_its_processes(
    lasting: Callable[..., Lasting],
) -> None:
    node = lasting(concurrency=2)
    node.shrinks()
    node.ends()
    assert node.words() == ["begins", "ends"]


def test_a_process_that_waits_in_a_pool_that_shrank_gets_no_job(
    lasting: Callable[..., Lasting], log: Path
) -> None:
    node, opened = lasting(concurrency=2), {"log": str(log), "gate": str(log.with_name("opened"))}
    blocking = node.site.graphs["block"].submit(opened, on(f"{node.thread_id}-block"))
    node.begins(2)
    # The other process has this one, and is the only one that has no job.
    given = {"log": str(log), "gate": str(node.gate)}
    waiting = node.site.graphs["last"].submit(given, on(f"{node.thread_id}-last"))
    node.begins(3)
    node.shrinks()
    control = node.site.backend.app.control
    (stats,) = (control.inspect([node.worker.name]).stats() or {}).values()
    assert stats["pool"]["writes"]["inqueues"]["total"] == 1
    Path(opened["gate"]).touch()
    blocking.result(PATIENCE)
    for n in range(4):
        node.site.graphs["steps"].submit({}, on(f"{node.thread_id}-steps-{n}")).result(PATIENCE)
    node.ends()
    waiting.result(PATIENCE)
    assert node.words().count("begins") == node.words().count("ends") == 3


def test_the_whole_group_may_be_told_to_end(lasting: Callable[..., Lasting]) -> None:
    node = lasting()
    os.killpg(node.worker.pid, signal.SIGTERM)
    wait_until(lambda: "Warm shutdown" in node.worker.output, "the signal to be heard")
    node.ends()
    assert node.words() == ["begins", "ends"]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_what_outlasts_the_grace_goes_on_elsewhere(
    lasting: Callable[..., Lasting], pool: str
) -> None:
    node = lasting(grace=0.5, pool=pool)
    node.elsewhere()
    os.kill(node.worker.pid, signal.SIGTERM)
    node.begins(2)
    assert node.is_as_new()
    assert node.words() == ["begins", "ends", "begins"]  # the first was ended before
    node.ends()


def test_a_worker_that_is_to_end_at_once_waits_for_no_coroutine(
    lasting: Callable[..., Lasting],
) -> None:
    node = lasting(env={"SOFT_SHUTDOWN": "0"})
    node.elsewhere()
    os.kill(node.worker.pid, signal.SIGQUIT)
    node.begins(2)
    assert node.is_as_new()
    node.ends()


def test_a_second_interrupt_ends_the_wait(lasting: Callable[..., Lasting]) -> None:
    node = lasting(env={"SOFT_SHUTDOWN": "0.5"})
    node.elsewhere()
    os.kill(node.worker.pid, signal.SIGINT)
    wait_until(lambda: "Hitting Ctrl+C again" in node.worker.output, "the first to be heard")
    os.kill(node.worker.pid, signal.SIGINT)
    node.begins(2)
    assert node.is_as_new()
    node.ends()


def test_a_soft_shutdown_gives_coroutines_its_time(lasting: Callable[..., Lasting]) -> None:
    node = lasting(env={"SOFT_SHUTDOWN": "3600"})
    os.kill(node.worker.pid, signal.SIGQUIT)
    wait_until(lambda: "Hitting Ctrl+C again" in node.worker.output, "the signal to be heard")
    node.elsewhere()
    node.ends()
    assert node.words() == ["begins", "ends"]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_soft_shutdown_that_expires_hands_coroutines_over(
    lasting: Callable[..., Lasting], pool: str
) -> None:
    node = lasting(pool=pool, env={"SOFT_SHUTDOWN": "0.5"})
    node.elsewhere()
    os.kill(node.worker.pid, signal.SIGQUIT)
    node.begins(2)
    assert node.is_as_new()
    node.ends()


def test_a_node_longer_than_the_grace_begins_again_once_where_processes_are_recycled(
    lasting: Callable[..., Lasting],
) -> None:
    node = lasting(grace=0.2, options=ONE_JOB)
    node.begins(2)
    node.ends()
    assert node.words() == ["begins", "ends", "begins", "ends"]
