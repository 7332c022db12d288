"""Two namespaces on one broker: they do not meet in queues of ours, and elsewhere lose nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.support.apps import brought
from tests.support.apps.served import register
from tests.support.celery_worker import CeleryWorker
from tests.support.site import Site, on, put_off
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend
from workers.broker.depth import depths

pytestmark = pytest.mark.celery
BROUGHT = "tests.support.apps.brought"
SPECIAL = "special-purpose"
STEPS = {"path": ["a", "b", "c"]}
# No sweeper looks for what is lost.
RARELY: dict[str, Any] = {"sweep": 600.0}


def test_each_worker_takes_the_tasks_of_its_namespace_alone(
    own_site: Callable[..., Site], redis_client: redis.Redis
) -> None:
    sites = [own_site(**RARELY) for _ in range(2)]
    runs = [site.graphs["routed"].submit({}, on("t")) for site in sites]
    workers = [
        site.launch(env={"ROLE": role}, concurrency=1)
        for role, site in zip("ab", sites, strict=True)
    ]
    for worker in workers:
        worker.wait_ready()
    done = [run.result(timeout=PATIENCE)["path"] for run in runs]
    assert done == [["a", "a"], ["b", "b"]]
    assert not redis_client.exists(SPECIAL)
    seen = [worker.queues for site in sites for worker in site.backend.workers()]
    assert [f"{site.namespace}.{SPECIAL}" for site in sites] == [
        queue for queues in seen for queue in queues if queue.endswith(SPECIAL)
    ]


class Shared:
    """Installations of a namespace each, on applications that share a queue."""

    def __init__(self, site: Site, queue: str) -> None:
        self.site, self._queue = site, queue
        app = brought.brought_app(site.namespace, site.broker.url, task_default_queue=queue)
        self.backend = CeleryBackend(site.store.url, app=app, namespace=site.namespace)
        self.steps = register(self.backend, ("steps",))["steps"]

    def start(self, pool: str = "threads") -> CeleryWorker:
        env = {**self.site.env, "SHARED_QUEUE": self._queue}
        worker = CeleryWorker(BROUGHT, folder=self.site.folder, env=env, pool=pool)
        self.site.workers.append(worker)
        return worker.wait_ready()

    @property
    def met(self) -> set[tuple[str, str]]:
        return {pair for worker in self.backend.workers() for pair in worker.met}


@pytest.fixture
def shared(own_site: Callable[..., Site]) -> tuple[Shared, Shared]:
    queue = f"shared-{uuid.uuid4().hex[:8]}"
    # The second one appears often, so that it is seen what it has met.
    return Shared(own_site(**RARELY), queue), Shared(own_site(), queue)


def test_a_job_that_was_fetched_by_another_namespace_comes_to_its_own_worker(
    shared: tuple[Shared, Shared], redis_client: redis.Redis
) -> None:
    one, other = shared
    fetching = other.start("prefork")
    run = one.steps.submit({"path": []}, on("t"))
    put_off(redis_client, one.site.namespace)
    queue = one.backend.app.conf.task_default_queue
    wait_until(lambda: (queue, one.site.namespace) in other.met, "the job to be fetched")
    one.start()
    assert run.result(timeout=PATIENCE) == STEPS
    assert f"meet in queue '{queue}'" in fetching.output
    assert "unregistered" not in fetching.output


def test_both_namespaces_are_served_in_one_queue(shared: tuple[Shared, Shared]) -> None:
    workers = [each.start() for each in shared]
    for n in range(5):
        runs = [each.steps.submit({"path": []}, on(str(n))) for each in shared]
        assert [run.result(timeout=PATIENCE) for run in runs] == [STEPS, STEPS]
    assert not any("unregistered" in worker.output for worker in workers)


def test_what_a_worker_holds_is_in_the_queue_again_when_it_has_ended(
    shared: tuple[Shared, Shared], redis_client: redis.Redis
) -> None:
    one, other = shared
    run = one.steps.submit({"path": []}, on("t"))
    put_off(redis_client, one.site.namespace)
    with other.backend.worker():
        wait_until(other.backend.office.meetings.of_late, "the job to be fetched")
    app = one.backend.app
    assert sum(depths(app, lambda: (app.conf.task_default_queue,)).values()) == 1
    with one.backend.worker():
        assert run.result(timeout=PATIENCE) == STEPS
