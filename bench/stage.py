"""What the rows run on: one Redis, two pool processes for each side, and a child for each side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a side's code is, the interpreter that runs it, and which module it is."""

    root: Path
    python: str
    module: str


OURS = Checkout(ROOT, sys.executable, "ours")


def before(root: Path) -> Checkout:
    """Return another checkout of ours, whose environment ``make venv`` made in it."""
    return Checkout(root, str(root / ".venv" / "bin" / "python"), "ours")


def peers(python: str) -> Checkout:
    """Return the peers, in the environment of the interpreter ``python``."""
    return Checkout(ROOT, python, "peer")


@contextmanager
def stage(peer: Checkout) -> Iterator[Stage]:
    """Start everything, and end it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        redis = RedisServer(folder / "redis").start()
        stack.callback(redis.stop)
        base = redis.url.removesuffix("/0")
        sides = {"ours": OURS, "peer": peer}
        started = [
            _side(stack, side, name, f"{base}/{number}", folder)
            for number, (name, side) in enumerate(sides.items())
        ]
        yield Stage(*started)


def _side(stack: ExitStack, side: Checkout, name: str, url: str, folder: Path) -> ChildSide:
    env = {**os.environ, "BENCH_REDIS": url, "PYTHONPATH": str(side.root)}
    command = [side.python, "-P", "-m", "celery", "-A", f"bench.{side.module}_app", "worker"]
    command += ["--loglevel", "WARNING", "--pool", "prefork", "--concurrency", str(POOL)]
    command += ["--hostname", f"{name}@localhost"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # Celery looks for modules in the folder that it is started in before all others.
    worker = Process(command, log=folder / f"{name}-worker.log", env=env, cwd=side.root)
    stack.callback(worker.end)
    app = Celery(broker=url, set_as_current=False)
    wait_until(lambda: _is_ready(worker, app), f"the worker of {name}")
    log = folder / f"{name}.log"
    child = ChildSide(side.root, side.python, f"bench.{side.module}", env, log)
    return stack.enter_context(child)


def _is_ready(worker: Process, app: Celery) -> bool:
    if not worker.alive:
        raise RuntimeError(f"A worker ended at once:\n{worker.output}")
    return bool(app.control.ping(timeout=0.5))
