"""Wrong usage is told in one line, and nothing is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import ImproperlyConfigured
from typer.testing import CliRunner, Result

from workers.cli import worker
from workers.cli.program import COMMANDS, program

ERRANDS = "tests.support.apps.errands:graph"


def call(*words: str) -> Result:
    return CliRunner().invoke(program(), list(words))


def test_help_names_every_command_and_the_exit_codes() -> None:
    shown = call("--help").output
    assert all(command.__name__ in shown for command in COMMANDS)
    assert "Exit codes" in shown


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    assert call(command, "--help").exit_code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "refunds", "--input", "1"], "write module:attribute"),
        (["run", ":graph", "--input", "1"], "write module:attribute"),
        (["run", "./refunds.py:graph", "--input", "1"], "write module:attribute"),
        (["run", "no_such_module:graph", "--input", "1"], "no module no_such_module"),
        (["run", "tests.support.apps.errands:nope", "--input", "1"], "has no attribute 'nope'"),
        (["run", "tests.support.apps.errands:not_a_graph", "--input", "1"], "of type int"),
        (["run", "tests.support.apps.errands:backend", "--input", "1"], "not a compiled graph"),
        (["run", ERRANDS, "--input", "{"], "--input is not JSON"),
        (["run", ERRANDS, "--input", "@/nowhere/at/all"], "cannot be read"),
        (["resume", "thread", "--value", "yes"], "'\"so\"'"),
        (["resume", "thread", "--value", "true", "--interrupt", "typo"], "'typo' is no question's"),
        (["worker", ERRANDS, "--pool", "lost"], "'lost' is not one of 'prefork'"),
        (["worker", ERRANDS, "--loglevel", "lost"], "'LOST' is not one of 'DEBUG'"),
        (["worker", ERRANDS, "--pool", "custom"], "Pool custom cannot be used: No module"),
        (["threads", "--status", "lost"], "--status is one of idle, busy"),
        (["threads", "--interrupted", "--status", "idle"], "--status is one of"),
        (["threads", "--namespace", "A B"], "namespace"),
        (["threads", "--redis", "http://localhost"], "redis: this is no URL of a Redis"),
        (["draw", "tests.support.apps.errands:backend"], "not a compiled graph"),
        (["draw", "tests.support.apps.errands:nope"], "has no attribute 'nope'"),
        (["demo", "--yes", "--no"], "exclude each other"),
        (["demo", "source", "--resume", "out"], "--resume goes without"),
        (["demo", "--detach", "--resume", "out"], "--resume goes without"),
        (["demo", "/nowhere/at/all"], "is not a folder"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(words: list[str], reason: str) -> None:
    ended = call(*words)
    assert ended.exit_code == 2
    assert reason in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_a_worker_that_refuses_its_settings_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise ImproperlyConfigured("They would be spawned.")

    monkeypatch.setattr(worker, "ended_with", refuse)
    ended = call("worker", ERRANDS)
    assert (ended.exit_code, ended.stderr) == (2, "distgraph: They would be spawned.\n")


def test_nothing_to_resume_is_said_before_anything_starts(tmp_path: Path) -> None:
    ended = call("demo", "--resume", str(tmp_path))
    assert ended.exit_code == 1
    assert "Nothing can be resumed" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("raises", "raise RuntimeError('not yet')", "RuntimeError: not yet (FILE:2)"),
        ("misses", "import no_such_module_at_all", "'no_such_module_at_all' (FILE:2)"),
        ("misspelt", "def (:", "SyntaxError: invalid syntax (misspelt.py, line 2)\n"),
    ],
)
def test_a_module_that_fails_to_import_says_why_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str, reason: str
) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text(f"x = 1\n{line}\n")
    monkeypatch.chdir(tmp_path)
    ended = call("worker", f"{name}:graph")
    assert ended.exit_code == 2
    assert reason.replace("FILE", str(file)) in ended.stderr
