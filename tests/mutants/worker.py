"""A worker process: one pytest session that collects once and runs tests as its parent asks.

A mutant may make a script run for ever, and Redis then answers nobody: a test that takes far
longer than it used to counts as failed, and the server is started again.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Generator, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import redis
from _pytest.runner import runtestprotocol

from checkpoint_redis import source
from tests.mutants import suite
from tests.mutants.jobs import Job, Known, Measure, Try
from tests.support.redis_server import RedisServer
from tests.support.thread_driver import using_scripts

SERVER_BYTES = 2 * 1024**3
"""A loop that collects for ever ends with the server, and not with the machine."""


class TookTooLong(BaseException):
    """No Exception, so that no test takes it for the error that it expects."""


def work(jobs: Connection, folder: Path, seeds: int) -> None:
    """Serve `jobs` until the parent closes it; `folder` is the worker's own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.environ["DISTGRAPH_SIM_SEEDS"] = str(seeds)
    # What one mutant leaves behind must not warn in the test of the next.
    options = ["-q", "-W", "ignore", *suite.CHOSEN]
    plugins = ("cacheprovider", "unraisableexception", "threadexception", "xdist")
    without = [word for name in plugins for word in ("-p", f"no:{name}")]
    places = [f"--rootdir={suite.ROOT}", f"--basetemp={folder / 'temp'}"]
    found = [str(suite.ROOT / name) for name in suite.files()]
    pytest.main([*options, *without, *places, *found], plugins=[Worker(jobs, folder / "scripts")])


class Worker:
    """The plugin that takes the place of pytest's loop over the tests."""

    def __init__(self, jobs: Connection, copy: Path) -> None:
        self._jobs = jobs
        self._copy = copy  # what is edited in the meantime is for the next run
        self._server: RedisServer | None = None
        self._items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        made = yield
        if fixturedef.argname == "redis_server":
            self._server = made
            _prepare(made)
        return made

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        signal.signal(signal.SIGALRM, self._interrupt)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent closes the jobs
        self._items = {item.nodeid: item for item in session.items}
        shutil.copytree(source.FOLDER, self._copy)
        with contextlib.suppress(EOFError, BrokenPipeError):
            self._jobs.send(tuple(self._items))
            while True:
                self._jobs.send(self._carry_out(self._jobs.recv()))
        return True

    def _carry_out(self, job: Job) -> tuple[Known, ...] | str:
        match job:
            case Measure():
                return tuple(self._measured(test) for test in job.tests)
            case Try():
                return self._killer(job)

    def _measured(self, test: str) -> Known:
        with using_scripts(self._copy), _recorded() as called:
            began = time.perf_counter()
            failed = self._run(test, limit=120.0)
            return Known(test, time.perf_counter() - began, frozenset(called), failed)

    def _killer(self, job: Try) -> str:
        path = self._copy / job.file
        content = path.read_text()
        path.write_text(job.content)
        with using_scripts(self._copy):
            failing = (t.id for t in job.tests if self._run(t.id, limit=5.0 + 10 * t.seconds))
            killer = next(failing, "")
        path.write_text(content)
        self._tidy()
        return killer

    def _run(self, test: str, limit: float) -> str:
        """Run a test, and return what is wrong, '' when it passes."""
        item = self._items[test]
        # Again and again: the first may come where nothing can be raised.
        signal.setitimer(signal.ITIMER_REAL, limit, 2.0)
        try:
            # With the session as what comes next, all but the session's fixtures are torn down.
            reports = runtestprotocol(item, log=False, nextitem=item.session)  # type: ignore[arg-type]
        except TookTooLong:
            return "took too long"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        failed = "\n".join(report.longreprtext for report in reports if report.failed)
        if failed:
            self._revive()
        return failed

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._server is not None:
            self._server.kill()
        raise TookTooLong

    def _revive(self) -> None:
        """Start the server again when it has ended, or still runs the script that was given up."""
        if self._server is not None and not _answers(self._server):
            self._server.kill()
            self._server.start()
            _prepare(self._server)

    def _tidy(self) -> None:
        """A failed test leaves keys behind, and each mutant its scripts."""
        self._revive()
        if self._server is not None:
            with self._server.client() as client:
                client.flushall()
                client.script_flush()


def _answers(server: RedisServer) -> bool:
    try:
        with server.client(retry=None, socket_timeout=2.0) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _prepare(server: RedisServer) -> None:
    with server.client() as client:
        client.config_set("appendonly", "no")
    if hasattr(resource, "prlimit"):
        limits = (SERVER_BYTES, SERVER_BYTES)
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, limits)


@contextlib.contextmanager
def _recorded() -> Iterator[set[str]]:
    """Collect the names of the scripts that are called in the block."""
    called: set[str] = set()
    original: Any = source.sha

    def sha(name: str) -> str:
        called.add(name)
        return str(original(name))

    vars(sha)["cache_clear"] = original.cache_clear
    source.sha = sha  # type: ignore[assignment]
    try:
        yield called
    finally:
        source.sha = original
