"""Child processes that end with the test run, however it ends."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.support import reaper
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
HURRY = 30.0
"""Seconds that a process gets at the end of its test before it is ended by force."""


class Process:
    """One program in a process group of its own; its output goes to `log`.

    `pid` is its process id, `returncode` None while it lives, else as subprocess has it.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self.args = tuple(args)
        self.log = log
        self._gone = False
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                self.args,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _tell_reaper("+", self.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        return self._popen.poll()

    @property
    def alive(self) -> bool:
        return self.returncode is None

    @property
    def output(self) -> str:
        """Everything that it printed so far."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        """Return the living processes below this one, such as a worker's pool."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def ask_to_end(self) -> None:
        """Ask it to end (SIGTERM) where it lives, and return at once."""
        if self.alive:
            self._popen.terminate()

    def stop(self, timeout: float = PATIENCE) -> None:
        """Ask it to end (SIGTERM) and wait; after `timeout` seconds kill it and say so."""
        self.ask_to_end()
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired as late:
            message = f"{self.args[0]} did not stop in {timeout:g} s:\n{self.output}"
            raise TimeoutError(message) from late
        finally:
            self.kill()

    def end(self) -> None:
        """Have it gone, in order if it hurries and by force if not; ended already is fine too."""
        with contextlib.suppress(TimeoutError):
            self.stop(HURRY)

    def kill(self) -> None:
        """End it and everything that it started, at once (SIGKILL)."""
        if self._gone:
            return
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        self._gone = True
        _tell_reaper("-", self.pid)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze it and its children (SIGSTOP) for the length of the block."""
        self._signal_group(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal_group(signal.SIGCONT)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


@functools.cache
def _reaper(_owner: int) -> subprocess.Popen[bytes]:
    """Start the reaper of this process; `_owner`, its id, keeps a fork from using its parent's.

    It ends after everybody else, so it is kept out of what site-packages hooks up, coverage above
    all.
    """
    command = [sys.executable, "-I", "-S", reaper.__file__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _tell_reaper(sign: str, group: int) -> None:
    pipe = _reaper(os.getpid()).stdin
    assert pipe is not None
    pipe.write(f"{sign}{group}\n".encode())
    pipe.flush()
