"""The `distgraph` command as a user runs it: a process with an exit code and two outputs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from typer.testing import CliRunner

from tests.support.processes import ROOT, Process
from tests.support.waiting import PATIENCE, wait_until
from workers.cli.program import program

PROGRAM = (sys.executable, "-m", "distgraph")
APPS = "tests.support.apps."


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its output, which must be one JSON document."""
        return json.loads(self.out)


@contextlib.contextmanager
def running(*words: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Start `distgraph words...`, and have it gone at the end of the block."""
    process = Process([*PROGRAM, *words], log=log, env=env)
    try:
        yield process
    finally:
        process.end()


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands against one Redis and namespace; ``cwd`` is where they run."""

    redis: str
    namespace: str
    cwd: Path = ROOT

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "DISTGRAPH_REDIS": self.redis,
            "DISTGRAPH_NAMESPACE": self.namespace,
            "PYTHONPATH": str(ROOT),
        }

    def __call__(self, *words: str, stdin: str = "") -> Ended:
        """Run `distgraph words...` to its end."""
        done = subprocess.run(
            [*PROGRAM, *words],
            cwd=self.cwd,
            env={**os.environ, **self.env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def here(self, *words: str, stdin: str = "") -> Ended:
        """Run it within this process, which takes no time to start; its targets are imported anew.

        What a process does of itself is not seen: signals, a terminal, what ends with it.
        """
        runner = CliRunner(env=self.env)
        with _nothing_imported():
            ended = runner.invoke(program(), words, stdin, catch_exceptions=False)
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def worker(self, *words: str, log: Path) -> Process:
        """Start `distgraph worker words...` and return when it consumes; the caller ends it."""
        process = Process([*PROGRAM, "worker", *words], log=log, env=self.env)

        def ready() -> bool:
            assert process.alive, process.output
            return " ready." in process.output

        wait_until(ready, "the worker to be ready")
        return process


def at_a_terminal(shell: Shell, said: str, *words: str) -> Ended:
    """Run a command as a person does, who says ``said`` at its first question."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=shell.cwd,
        env={**os.environ, **shell.env},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(theirs)
        try:
            os.write(ours, said.encode())
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            os.close(ours)
    return Ended(process.returncode, out, err)


@contextlib.contextmanager
def _nothing_imported() -> Iterator[None]:
    """Have the block import what stands in APPS anew, as a new process does, for itself alone."""
    known = _taken_out()
    try:
        yield
    finally:
        _taken_out()
        sys.modules.update(known)


def _taken_out() -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith(APPS)}
