"""A thread that waits for an answer holds nothing but its bytes in Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from distgraph.types import Command
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.waiting import wait_until

pytestmark = pytest.mark.celery
AT_REST = 2_048
NO_STREAM = (b":e", b":eb")


def stop_all(site: Site) -> None:
    for worker in site.workers:
        worker.stop()
    site.workers.clear()


def clients_of(server: RedisServer) -> list[dict[str, str]]:
    with server.client() as client:
        return [c for c in client.client_list() if c["cmd"] != "client|list"]


def test_an_interrupted_thread_holds_nothing_and_others_resume_it(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str
) -> None:
    server = new_redis()
    site = own_site(store=server)
    site.start()
    asked = site.graphs["panel"].invoke({"asked": ["x", "y"]}, on(thread_id))
    stop_all(site)

    with server.client() as client:
        assert site.messages(client) == []
        assert site.claimed(client) == []
        assert site.due(client) == []
        assert site.backend.workers() == ()
    blocked = [c for c in clients_of(server) if "b" in c["flags"]]
    assert blocked == []

    site.start(pool="threads")
    resumed = site.client()
    ids = {i.value: i.id for i in asked["__interrupt__"]}
    answers: Command[str] = Command(resume={ids["x"]: 1, ids["y"]: 2})
    assert site.backend.thread(thread_id).status == "interrupted"
    graph = site.graphs["panel"].on(resumed, name="panel")
    assert graph.invoke(answers, on(thread_id))["answers"] == ["x=1", "y=2", "quiet"]


def test_a_client_that_has_its_answer_keeps_no_blocked_connection(
    shared: Site, redis_server: RedisServer, thread_id: str
) -> None:
    shared.graphs["approval"].invoke({}, on(thread_id))
    blocked_reads = [
        c for c in clients_of(redis_server) if c["cmd"] == "xread" and "b" in c["flags"]
    ]
    assert blocked_reads == []


def test_questions_are_answered_after_all_workers_and_redis_were_gone(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str
) -> None:
    server = new_redis()
    site = own_site(store=server)
    site.start(concurrency=1)
    site.graphs["approval"].invoke({"request": "r"}, on(thread_id))
    stop_all(site)
    server.restart()
    site.start(concurrency=1)
    done = site.graphs["approval"].invoke(Command(resume="ok"), on(thread_id))
    assert done["path"] == ["prepare", "approve", "publish"]


def test_a_small_interrupted_thread_at_rest_takes_two_kilobytes(
    shared: Site, redis_client: redis.Redis, thread_id: str
) -> None:
    shared.graphs["form"].invoke({}, on(thread_id))
    kept = memory(shared, redis_client, thread_id)
    assert sum(kept.values()) <= AT_REST, kept


def memory(site: Site, client: Any, thread_id: str) -> dict[bytes, int]:
    """Return how many bytes each key of a thread takes but its events, which expire."""
    prefix = site.backend.thread_key(thread_id).prefix.encode()
    keys = list(client.scan_iter(prefix + b"*", count=1000))
    streams = [key for key in keys if key.endswith(NO_STREAM)]
    assert all(0 < client.pttl(key) <= 300_000 for key in streams)
    return {key: client.memory_usage(key) or 0 for key in keys if key not in streams}


def test_a_small_thread_that_waits_in_a_called_graph_takes_little_more(
    shared: Site, redis_client: redis.Redis, thread_id: str
) -> None:
    asked = shared.graphs["calling"].invoke({}, on(thread_id))
    assert "__interrupt__" in asked
    kept = memory(shared, redis_client, thread_id)
    assert {key.split(b":")[2] for key in kept} == {b"h", b"z", b"fs", b"f"}
    assert sum(kept.values()) <= 2 * AT_REST + 512, kept


def test_an_answered_thread_leaves_no_index_entry(
    shared: Site, redis_client: redis.Redis, thread_id: str
) -> None:
    def listed() -> list[Any]:
        known = shared.backend.threads("interrupted", limit=10_000)  # other tests leave theirs
        return [thread for thread in known if thread.id == thread_id]

    shared.graphs["approval"].invoke({}, on(thread_id))
    assert [t.graph for t in listed()] == ["approval"]
    shared.graphs["approval"].invoke(Command(resume=1), on(thread_id))
    wait_until(lambda: listed() == [], "the thread to leave the list")
