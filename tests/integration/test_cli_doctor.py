"""The doctor tells what is wrong, whatever hangs, and without passwords."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, Shell
from tests.support.redis_server import RedisServer, free_port

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


def test_without_a_worker_it_names_the_graph_that_waits(shell: Shell) -> None:
    shell("run", ERRANDS, "--input", "{}", "--thread", "alone", "--detach")
    ended = shell("doctor", "--json")
    assert ended.code == 4
    assert levels(ended)["workers"] == levels(ended)["unserved"] == "problem"
    assert "errands@" in detail(ended, "unserved")
    assert "no live worker serves it" in shell("threads").out


def test_an_unreachable_redis_is_named_without_its_password(namespace: str) -> None:
    port = free_port()
    shell = Shell(f"redis://user:sesame@127.0.0.1:{port}/0", namespace)
    for words in (("doctor",), ("run", ERRANDS, "--input", "{}"), ("threads",)):
        ended = shell(*words)
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
