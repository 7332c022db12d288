"""A node that fails is seen: in the log, by Celery's signals, by who watches its events."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import watched
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = [pytest.mark.celery, pytest.mark.slow]


@dataclass
class Place:
    """One worker of an application of a user's, and what it noted."""

    backend: CeleryBackend
    graphs: dict[str, Any]
    worker: CeleryWorker
    file: Path

    def fail(self, graph: str, thread: str, **given: Any) -> None:
        """Run a graph to its failure."""
        with pytest.raises(Exception, match=r"4711|Cannot|exit"):
            self.graphs[graph].invoke(given, on(thread))

    def noted(self, kind: str, thread: str) -> list[dict[str, Any]]:
        """Return what was noted of a thread."""
        key = self.backend.thread_key(thread).x
        found = (json.loads(line) for line in lines(self.file))
        return [
            each
            for each in found
            if each["kind"] == kind and key in (each.get("thread_key"), *each.get("args", ()))
        ]

    def collect(self, kind: str, thread: str, count: int) -> list[dict[str, Any]]:
        """Return what was noted once it is so much; it may follow the end of the run."""
        wait_until(lambda: len(self.noted(kind, thread)) >= count, f"{count} x {kind}")
        return self.noted(kind, thread)


@contextlib.contextmanager
def place(server: RedisServer, folder: Path, pool: str = "prefork", **env: str) -> Iterator[Place]:
    name, file = f"t-{uuid.uuid4().hex[:16]}", folder / "watched"
    settings = {f"DISTGRAPH_{key.upper()}": str(value) for key, value in QUICK.items()}
    env |= settings | {"DISTGRAPH_REDIS": server.url, "DISTGRAPH_BROKER": server.url}
    env |= {"DISTGRAPH_NAMESPACE": name, "WATCHED": str(file)}
    app = watched.brought(server.url, name)
    backend = CeleryBackend(server.url, app=app, namespace=name, **QUICK)
    worker = CeleryWorker(watched.__name__, folder=folder, env=env, pool=pool, concurrency=2)
    try:
        worker.wait_ready()
        yield Place(backend, watched.register(backend), worker, file)
    finally:
        worker.end()


@pytest.fixture(scope="module")
def processes(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A pool of processes, results, and a handler of failures that fails itself."""
    folder = tmp_path_factory.mktemp("watched")
    with place(redis_server, folder, RESULTS=redis_server.url, HANDLER="fails") as made:
        yield made


@pytest.mark.parametrize("graph", ["blocking", "coroutine"])
@pytest.mark.parametrize("how", ["raise", "big", "unpicklable", "half", "memory", "exit"])
def test_a_failed_node_is_one_record_and_one_failed_job(
    processes: Place, thread_id: str, log: Path, graph: str, how: str
) -> None:
    processes.fail(graph, thread_id, how=how, log=str(log))
    (failure,) = processes.collect("failure", thread_id, 1)
    (record,) = processes.collect("log", thread_id, 1)
    assert failure["type"] == "JobFailed"
    assert failure["id"] == failure["request"] == record["job_id"]
    assert f"Attempt 1 at node 'step' of graph '{graph}'" in failure["exception"]
    assert "4711" in failure["traceback"]
    assert failure["size"] < 100_000
    assert (record["levelname"], record["outcome"]) == ("ERROR", "failed")
    assert (record["graph"], record["node"], record["attempt"]) == (graph, "step", 1)
    assert record["thread_id"] == thread_id
    assert record["run_id"] == processes.backend.thread(thread_id).runs()[0].id
    assert "4711" in record["text"]
    assert len(record["text"]) < 100_000
    assert f"[{failure['id']}] raised" not in processes.worker.output
    # The same processes go on, and nothing was done twice.
    done = processes.graphs[graph].invoke({"how": "fine"}, on(f"{thread_id}-after"))
    assert done["out"] == 1
    assert lines(log) == [how]
    assert len(processes.noted("failure", thread_id)) == 1


@pytest.mark.parametrize("graph", ["retried", "coroutine-retried"])
def test_an_attempt_that_is_tried_again_says_so(
    processes: Place, thread_id: str, log: Path, graph: str
) -> None:
    processes.fail(graph, thread_id, how="raise", log=str(log))
    records = processes.collect("log", thread_id, 3)
    failures = processes.collect("failure", thread_id, 3)
    assert lines(log) == ["raise"] * 3
    assert [each["attempt"] for each in records] == [1, 2, 3]
    assert [each["levelname"] for each in records] == ["WARNING", "WARNING", "ERROR"]
    assert [each["retry_in"] for each in records] == [0.01, 0.02, None]
    assert "It is tried again in 0.01 s." in records[0]["text"]
    assert len({each["id"] for each in failures}) == 3


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_who_reads_nothing_but_the_log_finds_each_failure_in_it_once(
    own_site: Callable[..., Site], thread_id: str, pool: str
) -> None:
    site = own_site()
    (worker,) = site.start(pool=pool)
    site.graphs["flaky"].invoke({"width": 3, "fails": True}, on(thread_id))

    def silent() -> set[str]:
        """Find the jobs that began, and of whose ends Celery says nothing."""
        jobs = r"Task [\w.-]+\[([\w-]+)\] "
        received, done = (
            set(re.findall(jobs + it, worker.output)) for it in ("received", "succeeded")
        )
        return received - done

    wait_until(lambda: len(silent()) == 3, "the other jobs to be told as done")
    failed = re.findall(
        r"Attempt 1 at node 'falter' .* failed: ConnectionError: not yet\.", worker.output
    )
    assert len(failed) == 3
    assert worker.output.count("Traceback") == 3
    assert "raised" not in worker.output


@pytest.mark.parametrize("graph", ["blocking", "coroutine"])
def test_jobs_are_called_by_graph_and_node(processes: Place, thread_id: str, graph: str) -> None:
    key = processes.backend.thread_key(thread_id).x
    with watching(processes) as found:
        processes.backend.app.control.enable_events(destination=[processes.worker.name])
        asked = iter(range(100))

        def received() -> list[dict[str, Any]]:
            processes.graphs[graph].invoke({"how": "fine"}, on(thread_id), by=str(next(asked)))
            known = (each for each in found if each["type"] == "task-received")
            return [each for each in known if key in each["args"]]

        event = wait_until(received, "an event of a job")[0]
    assert event["name"] == f"{graph}.step"
    assert f"Task {graph}.step[{event['uuid']}] received" in processes.worker.output
    assert f"Task {graph}.step[{event['uuid']}] succeeded" in processes.worker.output


def test_a_superstep_whose_results_do_not_fit_is_told_too(processes: Place, thread_id: str) -> None:
    with pytest.raises(TypeError):
        processes.graphs["reduced"].invoke({"how": "", "out": 1}, on(thread_id))
    (record,) = processes.collect("log", thread_id, 1)
    (failure,) = processes.collect("failure", thread_id, 1)
    assert (record["node"], record["attempt"], record["levelname"]) == ("", 0, "ERROR")
    assert "A superstep of graph 'reduced'" in failure["exception"]


def test_results_of_failed_jobs_are_stored_where_the_application_stores_errors(
    processes: Place, thread_id: str
) -> None:
    processes.fail("blocking", thread_id, how="raise")
    (failure,) = processes.collect("failure", thread_id, 1)
    app = watched.brought("memory://", "none")
    app.conf.result_backend = processes.backend.settings.redis
    result = app.AsyncResult(failure["id"])
    wait_until(lambda: result.state == "FAILURE", "the result to be stored")
    assert "4711" in str(result.result)


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_failures_are_seen_in_other_pools(
    redis_server: RedisServer, tmp_path: Path, thread_id: str, pool: str
) -> None:
    with place(redis_server, tmp_path, pool, HANDLER="fails") as made:
        for graph in ("blocking", "coroutine"):
            made.fail(graph, f"{thread_id}-{graph}", how="raise")
            made.collect("failure", f"{thread_id}-{graph}", 1)
            made.collect("log", f"{thread_id}-{graph}", 1)


@contextlib.contextmanager
def watching(made: Place) -> Iterator[list[dict[str, Any]]]:
    """Collect the events of the worker, from the first that comes on."""
    found: list[dict[str, Any]] = []
    done, app = threading.Event(), made.backend.app
    receiver = app.events.Receiver(app.connection_for_read(), handlers={"*": found.append})

    def listen() -> None:
        with receiver.consumer_context(wakeup=False) as (connection, _, _):
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.1)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        wait_until(lambda: found, "a sign of life of some worker")
        yield found
    finally:
        done.set()
        thread.join(PATIENCE)


@pytest.mark.parametrize("graph", ["blocking", "coroutine"])
def test_who_watches_is_told_of_failures_once_it_asks(
    processes: Place, thread_id: str, graph: str
) -> None:
    names = [f"{thread_id}-{n}" for n in range(100)]
    with watching(processes) as found:

        def told() -> dict[str, Any] | None:
            """Fail once more, and find an event of a job that failed."""
            processes.fail(graph, name := names.pop(0), how="raise")
            (failure,) = processes.collect("failure", name, 1)
            ids.add(failure["id"])
            failed = (each for each in found if each["type"] == "task-failed")
            return next((each for each in failed if each["uuid"] in ids), None)

        ids: set[str] = set()
        processes.backend.app.control.enable_events(destination=[processes.worker.name])
        event: Any = wait_until(told, "an event of a failed job")
    assert event["hostname"] == processes.worker.name
    assert "JobFailed" in event["exception"]
    assert "4711" in event["traceback"]
