"""The Python programs in README.md run, one after the other, as somebody would try them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.pages import file_of, programs
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer
from workers import Settings
from workers.cli.exits import Exit
from workers.cli.program import program

Load = Callable[[str], ModuleType]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def blocks(redis_server: RedisServer) -> list[str]:
    """Return the programs, with the test's Redis in place of the one on this machine."""
    return programs(README, redis_server.url)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: list[str]) -> Iterator[Path]:
    """Return a folder with the programs that are modules; they can be imported."""
    modules = {name: block for block in blocks if (name := file_of(block))}
    for name, block in modules.items():
        (tmp_path / f"{name}.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in modules:
        sys.modules.pop(name, None)


@pytest.mark.celery
def test_the_programs_run_in_their_order(
    load: Load, folder: Path, blocks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    known: dict[str, Any] = {}
    with load("refunds").backend.worker():
        for block in blocks:
            if not file_of(block) and ".worker()" not in block:
                exec(compile(block, "README.md", "exec"), known)
    printed = capsys.readouterr().out
    assert "Interrupt(value={'refund': '17', 'amount': 120.0}" in printed
    assert "success" in printed


@pytest.mark.celery
def test_a_program_with_its_own_worker_runs(load: Load, blocks: list[str]) -> None:
    (block,) = (block for block in blocks if ".worker()" in block)
    exec(compile(block, "README.md", "exec"), {})


@pytest.mark.celery
def test_the_graph_in_an_existing_application_runs(load: Load, folder: Path) -> None:
    shop = load("shop")
    with shop.backend.worker():
        state = shop.greeter.invoke({"messages": "hi"}, {"configurable": {"thread_id": "1"}})
    assert [message.text for message in state["messages"]] == ["hi", "hello"]


def test_the_table_of_settings_is_complete() -> None:
    named = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `?([^|`]*)`? \|", README, re.MULTILINE)
    fields = Settings.model_fields
    assert [name for name, _, _ in named] == list(fields)
    for name, variable, default in named:
        assert variable == f"DISTGRAPH_{name.upper()}"
        known = fields[name].default
        told = json.dumps(known) if isinstance(known, tuple) else str(known)
        assert default.strip().replace(",", "") in (told.replace(",", ""), "as redis")


def test_the_table_of_commands_is_complete() -> None:
    named = re.findall(r"^\| `distgraph (\w+)", README, re.MULTILINE)
    known = [command.callback.__name__ for command in program().registered_commands]  # type: ignore[union-attr]  # each has one
    assert named == known


def test_the_exit_codes_are_all_told() -> None:
    (told,) = re.findall(r"^Exit codes: (.*?)\.$", README, re.MULTILINE | re.DOTALL)
    assert [int(code) for code in re.findall(r"\b\d+\b", told)] == list(Exit)


@pytest.mark.parametrize(
    "line", re.findall(r"^\| `distgraph (\w+[^|]*)\|([^|]*)", README, re.MULTILINE)
)
def test_options_of_a_command_are_named_as_it_knows_them(line: tuple[str, str]) -> None:
    command = line[0].split()[0].strip("`")
    said = CliRunner().invoke(program(), [command, "--help"], env={"COLUMNS": "200"}).output
    for option in re.findall(r"--[a-z]+", " ".join(line)):
        assert option in said


def test_every_file_and_module_that_is_named_exists() -> None:
    for target in re.findall(r"\]\(([\w./]+)\)", README):
        assert (ROOT / target).exists(), target
    for text in (README, (ROOT / "docs" / "design.md").read_text()):
        for path in re.findall(r"`(tests/[\w/.]+|examples/[\w/.]+)`", text):
            assert (ROOT / path).exists(), path
    for module in re.findall(r"`((?:distgraph|checkpoint_redis|workers)(?:\.\w+)+)`", README):
        resolve_name(module)
