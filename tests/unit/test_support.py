"""The tests' own tools: servers start, die and come back as the tests that use them expect."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from tests.support.celery_worker import CeleryWorker
from tests.support.processes import ROOT, Process
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until, wait_until_async

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    yield server.start()
    server.process.end()


def test_waiting_returns_the_first_true_answer() -> None:
    answers = iter([0, 0, 7])
    assert wait_until(lambda: next(answers), "a true answer") == 7


def test_waiting_too_long_says_for_what_and_what_came_last() -> None:
    with pytest.raises(TimeoutError, match="for the moon; the last answer was 0"):
        wait_until(lambda: 0, "the moon", within=0.01)


async def test_waiting_leaves_the_event_loop_free() -> None:
    answers = iter([0, 7])
    assert await wait_until_async(lambda: next(answers), "a true answer") == 7


def test_a_server_keeps_its_port_and_data_over_a_restart(server: RedisServer) -> None:
    with server.client() as client:
        client.set("kept", b"1")
        server.restart()
        assert client.get("kept") == b"1"


def test_a_killed_server_is_gone_until_it_is_started_again(server: RedisServer) -> None:
    server.kill()
    with server.client(retry=None) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    server.start()
    assert server.alive


def test_a_paused_server_answers_after_the_pause(server: RedisServer) -> None:
    with (
        server.client(retry=None, socket_timeout=0.05) as hasty,
        server.paused(),
        pytest.raises(redis.TimeoutError),
    ):
        hasty.ping()
    with server.client() as client:
        assert client.ping()


def test_a_server_never_evicts_and_keeps_a_log_of_writes(redis_client: redis.Redis) -> None:
    assert redis_client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert redis_client.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_a_server_that_cannot_start_shows_its_output(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="maxmemory-policy"):
        RedisServer(tmp_path, maxmemory_policy="nonsense").start()


def test_stopping_a_process_that_ignores_sigterm_kills_it_and_says_so(tmp_path: Path) -> None:
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True); signal.pause()"
    )
    process = Process([sys.executable, "-c", deaf], log=tmp_path / "log")
    wait_until(lambda: "deaf" in process.output, "the process to ignore SIGTERM")
    with pytest.raises(TimeoutError, match=r"did not stop in 0\.1 s"):
        process.stop(0.1)
    assert not process.alive


def test_processes_end_when_the_test_run_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from tests.support.processes import Process\n"
        f"child = Process({SLEEPER!r}, log=pathlib.Path(sys.argv[1]))\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    orphan = int(run.stdout)
    wait_until(lambda: not _lives(orphan), f"process {orphan} to be ended")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.celery
def test_a_worker_runs_tasks_until_it_is_killed_with_its_children(
    redis_server: RedisServer, namespace: str, start_worker: Callable[..., CeleryWorker]
) -> None:
    env = {"ECHO_REDIS": redis_server.url, "ECHO_QUEUE": namespace}
    worker = start_worker("tests.support.apps.echo:app", env=env, concurrency=1)
    children = worker.children()
    assert children
    worker.kill()
    assert not worker.alive
    wait_until(lambda: not any(_lives(c.pid) for c in children), "the pool to be gone")


@pytest.mark.celery
def test_a_worker_that_cannot_start_shows_its_log(
    start_worker: Callable[..., CeleryWorker],
) -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        start_worker("tests.support.apps.no_such_module:app")
