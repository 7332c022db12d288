"""Graphs that are nodes, three levels of them, while everything is harmed: they end the same."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command
from tests.support.apps.frames import forest
from tests.support.crowded import crowd_waits
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow, pytest.mark.timeout(900)]
SETTINGS = {"lease": 3.0, "heartbeat": 1.0, "sweep": 0.5, "max_lost": 20}
THREADS, QUESTIONS, PARENTS = 6, 4, 1_000
GIVEN: dict[str, Any] = {"pause": 0.05, "asks": "where?", "path": ["root"]}


def is_busy(threads: list[Any]) -> bool:
    return any(thread.status == "busy" for thread in threads)


class Harm:
    """What is done to an installation of one worker with one slot, each in its turn."""

    def __init__(self, site: Site) -> None:
        self._site, self._chance = site, random.Random(5)
        self._turns = cycle((self._kill_child, self._lose_messages, self._kill, self._freeze))
        self.done: list[str] = []

    def while_busy(self, threads: list[Any]) -> None:
        """Go on until all ``threads`` rest, with a pause before each in which work is done."""
        while is_busy(threads):
            work = self._begun() + self._chance.randrange(5, 25)
            done = partial(self._is_done, work, threads)
            wait_until(done, "work to be done")
            harm = next(self._turns)
            self.done.append(harm.__name__)
            harm()

    def _is_done(self, work: int, threads: list[Any]) -> bool:
        return self._begun() >= work or not is_busy(threads)

    def _begun(self) -> int:
        """Return how many nodes have begun: each notes that."""
        return self._site.folder.joinpath("log").read_text().count("\n")

    def _kill_child(self) -> None:
        for child in self._site.workers[0].children():
            child.kill()

    def _kill(self) -> None:
        self._site.workers.pop().kill()
        self._site.start(1, concurrency=1)

    def _lose_messages(self) -> None:
        with self._site.broker.client() as client:
            client.flushall()

    def _freeze(self) -> None:
        """Until whatever it holds is another's to take."""
        site, (worker,) = self._site, self._site.workers
        with worker.paused(), site.store.client() as client:
            other = site.launch(concurrency=1).wait_ready()
            wait_until(partial(self._holds_nothing, client, worker.name), "its leases to run out")
            site.workers.remove(other)
            other.kill()

    def _holds_nothing(self, client: Any, name: str) -> bool:
        return not any(row.owner.startswith(f"{name}/") for row in self._site.claimed(client))


def in_process(tmp_path: Path) -> list[str]:
    """Return what the same graph gives in this process."""
    graph, where = forest().compile(checkpointer=InMemorySaver()), on("t")
    given = {**GIVEN, "log": str(tmp_path / "here"), "pause": 0.0}
    asked = graph.invoke(given, where)["__interrupt__"]
    answers = {question.id: "there" for question in asked}
    assert len(answers) == QUESTIONS
    found: list[str] = graph.invoke(Command(resume=answers), where)["path"]
    return found


def test_three_levels_and_their_questions_outlive_kills_freezes_and_lost_messages(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], tmp_path: Path
) -> None:
    site = own_site(broker=new_redis(), **SETTINGS)
    site.start(1, concurrency=1)
    harm, graph, log = Harm(site), site.graphs["forest"], site.folder / "log"
    log.touch()
    names = [f"forest-{n}" for n in range(THREADS)]
    threads = [site.backend.thread(name) for name in names]
    for name in names:
        graph.submit({**GIVEN, "log": str(log)}, on(name))
    harm.while_busy(threads)
    for thread in threads:
        assert len(thread.interrupts) == QUESTIONS, thread.status
        thread.resume({question.id: "there" for question in thread.interrupts})
    harm.while_busy(threads)
    expected = in_process(tmp_path)
    for name in names:
        state = graph.get_state(on(name))
        assert (state.values["path"], state.next) == (expected, ())
    with site.store.client() as client:
        wait_until(lambda: not site.due(client), "nothing to be due", 2 * PATIENCE)
        assert site.claimed(client) == []
    sys.stderr.write(f"\n{len(harm.done)} harms: {', '.join(harm.done)}\n")
    assert set(harm.done) == {"_kill_child", "_lose_messages", "_kill", "_freeze"}


def test_a_thousand_parked_tasks_hold_nothing(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site()
    site.start(2, concurrency=1)
    crowd_waits(site, thread_id, PARENTS, log, tmp_path / "gate")
