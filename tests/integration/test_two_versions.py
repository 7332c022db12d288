"""Two versions of the library side by side on one namespace: each thread is run by who reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis import keys
from checkpoint_redis.readings import Header
from distgraph.checkpoint import formats
from distgraph.checkpoint.formats import Kind
from distgraph.types import Command
from tests.support.apps import versioned
from tests.support.celery_worker import CeleryWorker
from tests.support.newer import RELEASE, newer
from tests.support.site import QUICK, Site, lines, on
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow]
APP = "tests.support.apps.versions"
THREADS = 200
OLD = formats.release()


def start(site: Site, folder: Path, release: str = "") -> CeleryWorker:
    """Start a worker of the present version, or of a newer release."""
    env = {**site.env, "RELEASE": release}
    worker = CeleryWorker(APP, folder=folder, env=env, pool="threads", concurrency=2)
    site.workers.append(worker)
    return worker.wait_ready()


def headers(site: Site, names: list[str]) -> list[Header]:
    found = [site.backend.ledger.any_header(site.backend.thread_key(name)) for name in names]
    return [header for header in found if header is not None]


def all_stand(site: Site, names: list[str], status: str) -> bool:
    return all(header.st == status for header in headers(site, names))


def ran(log: Path) -> dict[str, list[tuple[str, str]]]:
    """Return which nodes of each thread which release ran, in their order."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in lines(log):
        thread, node, release = line.split()
        found[thread].append((node, release))
    return found


def by(log: Path, release: str) -> int:
    return sum(line.endswith(f" {release}") for line in lines(log))


def test_nothing_is_lost_and_nothing_run_by_who_cannot_read_it(
    own_site: Callable[..., Site], tmp_path: Path, log: Path
) -> None:
    site: Site = own_site(**QUICK)
    graphs: dict[str, Any] = versioned.register(site.backend)
    waiting = [f"waiting-{n}" for n in range(THREADS)]
    running = [f"running-{n}" for n in range(THREADS)]
    old = start(site, tmp_path)
    for name in waiting:
        graphs["asks"].submit({"thread": name, "log": str(log)}, on(name))
    wait_until(lambda: all_stand(site, waiting, "interrupted"), "the questions")

    start(site, tmp_path, RELEASE)
    for name in running:
        graphs["runs"].submit({"thread": name, "log": str(log)}, on(name))
    for name in waiting[: THREADS // 2]:
        graphs["asks"].submit(Command(resume="yes"), on(name))
    wait_until(lambda: by(log, OLD) and by(log, RELEASE) > THREADS // 10, "both versions to run")
    with site.store.client() as client:
        for number in (1, 2):
            turn = keys.sweeper(site.namespace, number)
            wait_until(partial(client.exists, turn), f"a sweep by who reads format {number}")
    refusal = "its thread is stored in format 2, and this worker reads formats up to 1"
    wait_until(lambda: refusal in old.output, "a task that the older version leaves")
    old.end()
    for name in waiting[THREADS // 2 :]:
        graphs["asks"].submit(Command(resume="yes"), on(name))
    wait_until(lambda: all_stand(site, waiting + running, "idle"), "the newer version to end all")

    assert all(header.format == 2 for header in headers(site, waiting[THREADS // 2 :]))
    for name, nodes in ran(log).items():
        assert [node for node, _ in nodes] == list(versioned.NODES), name
        releases = [release for _, release in nodes]
        assert releases == sorted(releases), f"{name} went back to a version that is too old"
    assert set(ran(log)) == {*waiting, *running}
    assert any(len({release for _, release in nodes}) > 1 for nodes in ran(log).values())
    with newer(Kind.result, Kind.checkpoint):
        for header in headers(site, waiting + running):
            outcome = site.backend.ledger.outcome(
                site.backend.thread_key(header.thread_id), header.run
            )
            assert outcome is not None
            assert outcome.status == "success"
