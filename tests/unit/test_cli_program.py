"""The command as a whole."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from typer.testing import CliRunner

from tests.support.command import PROGRAM
from tests.support.processes import Process
from tests.support.waiting import wait_until
from workers.cli.program import program


def test_it_tells_its_version() -> None:
    told = CliRunner().invoke(program(), ["--version"])
    assert (told.exit_code, told.output.strip()) == (0, f"distgraph {version('distgraph')}")


def test_who_stops_it_while_it_imports_sees_no_traceback(tmp_path: Path) -> None:
    stopped = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "celery.py").write_text(stopped)
    process = Process([*PROGRAM, "doctor"], log=tmp_path / "log", cwd=tmp_path)
    wait_until(lambda: not process.alive, "the command to end")
    assert (process.returncode, process.output) == (130, "")
