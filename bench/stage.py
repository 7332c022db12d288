"""What the rows run on: one Redis, two pool processes for each side, and a child for each side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from celery import Celery

from bench.side import ROOT, ChildSide
from tests.support.processes import Process
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

POOL = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """Both sides, ready to be measured."""

    ours: ChildSide
    peer: ChildSide


@contextmanager
def stage(folder: Path, peers: str) -> Iterator[Stage]:
    """Start everything in ``folder``; ``peers`` is the interpreter of the peers' environment."""
    with ExitStack() as stack:
        redis = RedisServer(folder / "redis").start()
        stack.callback(redis.stop)
        base = redis.url.removesuffix("/0")
        ours = _side(stack, sys.executable, "ours", f"{base}/0", folder)
        peer = _side(stack, peers, "peer", f"{base}/1", folder)
        yield Stage(ours, peer)


def _side(stack: ExitStack, python: str, name: str, url: str, folder: Path) -> ChildSide:
    env = {**os.environ, "BENCH_REDIS": url, "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "celery", "-A", f"bench.{name}_app", "worker", "--loglevel", "WARNING"]
    command += ["--pool", "prefork", "--concurrency", str(POOL), "--hostname", f"{name}@localhost"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = Process(command, log=folder / f"{name}-worker.log", env=env)
    stack.callback(worker.end)
    app = Celery(broker=url, set_as_current=False)
    wait_until(lambda: _is_ready(worker, app), f"the worker of {name}")
    log = folder / f"{name}.log"
    return stack.enter_context(ChildSide(python, f"bench.{name}", env, log))


def _is_ready(worker: Process, app: Celery) -> bool:
    if not worker.alive:
        raise RuntimeError(f"A worker ended at once:\n{worker.output}")
    return bool(app.control.ping(timeout=0.5))
