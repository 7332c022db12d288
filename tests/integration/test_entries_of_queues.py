"""Whatever stands in the broker's queue, no worker ends by it, and the next task is served."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import entries
from tests.support.apps import brought
from tests.support.apps.served import register
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, Site, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
BROUGHT = "tests.support.apps.brought"
STEPS = {"path": ["a", "b", "c"]}


@dataclass(frozen=True)
class Reader:
    """A worker, the client's backend, and the queue that both know."""

    site: Site
    worker: CeleryWorker
    backend: CeleryBackend
    queue: str

    @property
    def task(self) -> str:
        return f"{self.site.namespace}.step"

    def push(self, *found: str | bytes) -> None:
        with self.site.broker.client() as client:
            client.lpush(self.queue, *found)
            wait_until(lambda: client.llen(self.queue) == 0 or self.ended(), "an empty queue")
        assert not self.ended(), self.worker.output[-5_000:]

    def entry(self, task: str, changes: tuple[tuple[str, Any], ...]) -> str:
        """Return a message with those changes, as far as there still is such a place."""
        made = entries.message(task or self.task, self.queue)
        for path, value in changes:
            outer = path.rpartition(".")[0]
            if not outer or isinstance(made[outer], dict):
                made = entries.changed(made, path, value)
        return json.dumps(made)

    def ended(self) -> bool:
        return not self.worker.alive

    def run(self, thread_id: str) -> Any:
        return register(self.backend, ("steps",))["steps"].invoke({"path": []}, on(thread_id))

    def stats(self) -> dict[str, Any]:
        inspect = self.backend.app.control.inspect([self.worker.name], timeout=PATIENCE, limit=1)
        answer = wait_until(lambda: inspect.stats() or {}, "the worker's answer")
        return cast("dict[str, Any]", answer[self.worker.name])

    def dropped(self) -> dict[str, int]:
        return self._dropped(self.stats())

    def _dropped(self, stats: dict[str, Any]) -> dict[str, int]:
        found: dict[str, int] = stats[f"distgraph.{self.task}"]["dropped"]
        return found

    def handled(self) -> int:
        """Return how many messages were dropped or became jobs."""
        stats = self.stats()
        return sum(self._dropped(stats).values()) + sum(map(int, stats["total"].values()))


@pytest.fixture
def reader(own_site: Callable[..., Site]) -> Callable[..., Reader]:
    """Give a function that starts a worker on an application of ours, or on one that is brought."""

    def start(pool: str, *, own: bool) -> Reader:
        return _reader(own_site(), pool, own=own)

    return start


def _reader(site: Site, pool: str, *, own: bool) -> Reader:
    if own:
        (worker,) = site.start(pool=pool)
        return Reader(site, worker, site.backend, f"{site.namespace}.steps")
    app = brought.brought_app(site.namespace, site.broker.url)
    backend = CeleryBackend(site.store.url, app=app, namespace=site.namespace)
    worker = CeleryWorker(BROUGHT, folder=site.folder, env=site.env, pool=pool)
    site.workers.append(worker)
    return Reader(site, worker.wait_ready(), backend, site.namespace)


@pytest.mark.parametrize("own", [True, False], ids=["own", "brought"])
@pytest.mark.parametrize("pool", ["threads", "solo", "prefork"])
def test_what_is_no_message_of_ours_is_dropped_and_counted_and_the_next_task_is_served(
    reader: Callable[..., Reader], pool: str, own: bool, thread_id: str
) -> None:
    read = reader(pool, own=own)
    bad = entries.bad(read.task, read.queue)
    read.push(*bad.values())
    assert read.run(thread_id) == STEPS
    counts = read.dropped()
    assert sum(counts.values()) == len(bad), counts
    for words in ("garbled message was", "message that is no hint was"):
        assert read.worker.output.count(words) == 1, read.worker.output
    assert "Traceback" not in read.worker.output
    assert read.worker.alive


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False], ids=["own", "brought"])
def test_each_bad_entry_is_counted_once(reader: Callable[..., Reader], own: bool) -> None:
    read = reader("threads", own=own)

    def dropped(more_than: int) -> int:
        count = sum(read.dropped().values())
        return count if count > more_than else 0

    for number, (name, entry) in enumerate(entries.bad(read.task, read.queue).items()):
        read.push(entry)
        assert wait_until(lambda seen=number: dropped(seen), name) == number + 1, name  # type: ignore[misc]


def test_messages_of_others_are_left_to_celery_on_an_application_that_is_brought(
    reader: Callable[..., Reader], thread_id: str
) -> None:
    read = reader("threads", own=False)
    good = entries.message(read.task, read.queue)
    read.push(
        json.dumps(entries.changed(good, "headers.task", "os.system")),
        json.dumps(entries.changed(good, "headers", {})),
    )
    assert read.run(thread_id) == STEPS
    assert read.dropped() == {}
    assert "Received unregistered task of type 'os.system'" in read.worker.output
    assert "Received and deleted unknown message" in read.worker.output


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_what_others_are_sent_that_nobody_can_run_costs_no_slot_of_the_pool(
    reader: Callable[..., Reader], pool: str, thread_id: str
) -> None:
    read = reader(pool, own=False)
    good = entries.message("celery.backend_cleanup", read.queue)
    bad = [("timelimit", ["a", "b"]), ("timelimit", 5), ("id", []), ("shadow", {"a": 1})]
    for path, value in bad:
        read.push(*[json.dumps(entries.changed(good, f"headers.{path}", value))] * 5)
    wait_until(lambda: sum(read.dropped().values()) == 5 * len(bad), "all to be dropped")
    assert read.run(thread_id) == STEPS
    assert read.worker.alive


@pytest.mark.parametrize("own", [True, False], ids=["own", "brought"])
def test_a_worker_that_has_connected_anew_reads_on_too(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], own: bool, thread_id: str
) -> None:
    server = new_redis()
    read = _reader(own_site(server), "threads", own=own)
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    wait_until(lambda: "Connection to broker lost" in read.worker.output, "the loss")
    bad = entries.bad(read.task, read.queue)
    read.push(*bad.values())
    assert read.run(thread_id) == STEPS
    assert sum(read.dropped().values()) == len(bad)


def test_what_is_told_to_all_workers_ends_none_either(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer]
) -> None:
    read = _reader(own_site(new_redis()), "threads", own=False)
    good = entries.message("", "")
    told = (entries.DEEP, "{", "[]", "5", json.dumps({}), json.dumps({**good, "headers": [1]}))
    with read.site.broker.client() as client:
        for each in told:
            assert client.publish("/0.celery.pidbox", each) == 1
    wait_until(lambda: read.dropped().get("garbled", 0) >= 3, "the unreadable ones")
    assert read.worker.alive


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
PLACES = (
    *entries.BAD,
    *(f"headers.{name}" for name in ("lang", "parent_id", "argsrepr", "stamps", "x", "headers")),
    *("properties.delivery_mode", "properties.x", "redelivered"),
)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """Draw a task, "" for ours, and what stands at some places of a message for it."""
    count = draw(st.integers(1, 3))
    changes = tuple((draw(st.sampled_from(PLACES)), draw(JSON)) for _ in range(count))
    return draw(st.sampled_from(("", "", "celery.backend_cleanup"))), changes


ENTRIES = st.one_of(st.binary(max_size=60), JSON.map(json.dumps), spoiled(), spoiled(), spoiled())


@pytest.fixture(scope="module", params=["threads-own", "prefork-brought"])
def lasting(
    request: pytest.FixtureRequest,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Reader]:
    """Give a worker that reads whatever is drawn."""
    pool, _, whose = request.param.partition("-")
    site = Site(redis_server, tmp_path_factory.mktemp("lasting"), **QUICK)
    yield _reader(site, pool, own=whose == "own")
    site.end()


@pytest.mark.slow
@settings(
    max_examples=20,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # what has been counted stays counted
)
@given(drawn=st.lists(ENTRIES, min_size=50, max_size=50))
def test_a_thousand_random_entries_end_no_worker(lasting: Reader, drawn: list[Any]) -> None:
    before = lasting.handled()
    found = [lasting.entry(*each) if isinstance(each, tuple) else each for each in drawn]
    lasting.push(*found)
    if lasting.backend.owns_app:  # on an application that is brought Celery has its share
        wait_until(lambda: lasting.handled() - before >= len(drawn), "all to be handled")
        assert lasting.handled() - before == len(drawn)


def test_a_run_succeeds_after_all_of_them(lasting: Reader, thread_id: str) -> None:
    assert lasting.run(thread_id) == STEPS
