"""The doctor tells what is wrong, whatever hangs, and without passwords."""

from __future__ import annotations

import uuid
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
import redis

from checkpoint_redis import keys
from tests.support.command import Ended, Shell
from tests.support.redis_server import RedisServer, free_port
from workers import CeleryBackend
from workers.cli.health import examine, now

pytestmark = pytest.mark.redis

ERRANDS = "tests.support.apps.errands:graph"


@pytest.fixture
def shell(redis_server: RedisServer, namespace: str) -> Shell:
    return Shell(redis_server.url, namespace)


def levels(ended: Ended) -> dict[str, Any]:
    return {check["name"]: check["level"] for check in ended.data["checks"]}


def detail(ended: Ended, name: str) -> str:
    (found,) = [check["detail"] for check in ended.data["checks"] if check["name"] == name]
    return str(found)


@pytest.mark.celery
def test_a_system_with_a_worker_is_healthy(shell: Shell, tmp_path: Path) -> None:
    worker = shell.worker(ERRANDS, "--pool", "solo", log=tmp_path / "worker.log")
    try:
        ended = shell("doctor", "--json")
    finally:
        worker.end()
    assert ended.code == 0, ended.out
    assert ended.data["healthy"] is True
    assert set(levels(ended).values()) == {"ok"}
    assert "serves errands@" in detail(ended, "worker")


@pytest.mark.celery
def test_one_worker_is_looked_at_alone(shell: Shell, tmp_path: Path) -> None:
    words = (ERRANDS, "--pool", "solo", "--hostname", "one@%h")
    alone = ("doctor", "--worker", "one@%h", "--json")
    worker = shell.worker(*words, log=tmp_path / "worker.log")
    try:
        # A graph that nobody serves is no fault of this worker's.
        shell.here("run", "tests.support.apps.errands:local", "--input", "{}", "--detach")
        healthy = shell(*alone)
        missing = shell.here("doctor", "--worker", "two@%h", "--json")
        with worker.paused():
            age(shell)
            frozen = shell.here(*alone)
    finally:
        worker.end()
    assert (healthy.code, set(levels(healthy))) == (0, {"heartbeat", "consumer"})
    assert ".errands" in detail(healthy, "consumer")
    assert missing.code == frozen.code == 4
    assert "two@" in detail(missing, "worker")
    assert levels(frozen)["heartbeat"] == "problem"


def age(shell: Shell) -> None:
    """Have every worker of the installation be silent for a minute: it is frozen meanwhile."""
    key = keys.workers(shell.namespace)
    with redis.Redis.from_url(shell.redis) as client:
        for name, record in client.hgetall(key).items():
            seen, _, told = record.partition(b" ")
            client.hset(key, name, b"%f %s" % (float(seen) - 60, told))


@pytest.mark.celery
def test_a_worker_that_takes_from_no_queue_of_ours_is_unhealthy(
    shell: Shell, tmp_path: Path
) -> None:
    words = (ERRANDS, "--pool", "solo", "--hostname", "one@%h", "--queues", "other")
    worker = shell.worker(*words, log=tmp_path / "worker.log")
    try:
        ended = shell("doctor", "--worker", "one@%h", "--json")
    finally:
        worker.end()
    assert ended.code == 4
    assert levels(ended) == {"heartbeat": "ok", "consumer": "problem"}


@pytest.mark.parametrize(
    ("forbidden", "level", "told"),
    [
        ("-info", {"redis": "warning", "overdue": "ok"}, "Allow it +info"),
        ("-zcount", {"redis": "ok", "overdue": "warning"}, "may not see it"),
        ("-info -zcount", {"redis": "warning", "overdue": "warning"}, "may not see it"),
        ("-hgetall", {"redis": "ok", "workers": "problem", "overdue": "ok"}, "refused a command"),
    ],
)
def test_a_user_of_few_rights_is_told_what_it_may_not_see(
    redis_server: RedisServer, namespace: str, forbidden: str, level: dict[str, str], told: str
) -> None:
    user = f"u{uuid.uuid4().hex[:8]}"
    rights = ["on", ">secret", "~*", "&*", "+@all", *forbidden.split()]
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", user, *rights)
        url = redis_server.url.replace("redis://", f"redis://{user}:secret@")
        found = list(examine(CeleryBackend(url, namespace=namespace)))
        client.execute_command("ACL", "DELUSER", user)
    levels = {check.name: check.level for check in found}
    assert {name: levels[name] for name in level} == level
    assert {"broker", "workers", "unserved"} <= set(levels)
    assert told in " ".join(check.detail for check in found)
    assert "secret" not in repr(found)


def test_ages_are_by_the_clock_of_redis(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace)
    monkeypatch.setattr("workers.cli.health.datetime", SlowClock)
    with redis_server.client() as client:
        before = int(client.time()[0])
        assert before <= now(backend).timestamp() <= int(client.time()[0])


class SlowClock(datetime):
    """A machine whose clock stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> SlowClock:
        return cls(2001, 1, 1, tzinfo=tz)


def test_without_a_worker_it_names_the_graph_that_waits(shell: Shell) -> None:
    shell.here("run", ERRANDS, "--input", "{}", "--thread", "alone", "--detach")
    ended = shell.here("doctor", "--json")
    assert ended.code == 4
    assert levels(ended)["workers"] == levels(ended)["unserved"] == "problem"
    assert "errands@" in detail(ended, "unserved")
    assert "no live worker serves it" in shell.here("threads").out


def test_an_unreachable_redis_is_named_without_its_password(namespace: str) -> None:
    port = free_port()
    shell = Shell(f"redis://user:sesame@127.0.0.1:{port}/0", namespace)
    run = ("run", ERRANDS, "--input", "{}")
    for ended in (shell(*run), shell.here("doctor"), shell.here("threads")):
        assert ended.code == 4
        assert f"127.0.0.1:{port}" in ended.out + ended.err
        assert "sesame" not in ended.out + ended.err
        assert "Traceback" not in ended.err


def test_a_frozen_redis_is_unhealthy_and_not_waited_for(tmp_path: Path, namespace: str) -> None:
    server = RedisServer(tmp_path).start()
    try:
        with server.paused():
            ended = Shell(server.url, namespace)("doctor", "--json")
    finally:
        server.process.end()
    assert ended.code == 4
    assert "problem" in levels(ended).values()


def test_a_redis_that_evicts_is_a_problem_and_one_that_forgets_a_warning(
    tmp_path: Path, namespace: str
) -> None:
    options = {"maxmemory": "100mb", "maxmemory_policy": "allkeys-lru", "appendonly": "no"}
    server = RedisServer(tmp_path, **options).start()
    try:
        ended = Shell(server.url, namespace)("doctor", "--json")
    finally:
        server.process.end()
    assert levels(ended)["memory"] == "problem"
    assert levels(ended)["persistence"] == "warning"
