"""The tool behind `make substrates`: which rows, what is told of each, what is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.substrates import __main__ as program
from tests.substrates.kit import Kit, Missing, Unsolvable, python_of
from tests.substrates.row import Ground, Outcome, Place, Row
from tests.substrates.rows import ROWS, chosen
from tests.substrates.running import run
from tests.substrates.table import table
from tests.substrates.users import CLIENT, WORKER
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer

COUNTED = '{"executions": 5, "kills": 1, "versions": {"Python": "3"}}'


@contextmanager
def place(ground: Ground) -> Iterator[Place]:
    yield Place("redis 6", {}, harm=(ground.folder / "harmed").touch, harmed="a fail-over")


def row(folder: Path, *lines: str, code: int = 0, **fields: Any) -> Row:
    """Return a row whose smoke program prints `lines`, and ends with `code`."""
    fake = folder / "python"
    said = "\n".join(lines)
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nread answer\nexit {code}\n")
    fake.chmod(0o755)
    return Row("mine", place, lambda _: fake, **fields)


def outcome(folder: Path, made: Row) -> Outcome:
    said: list[str] = []
    return run(made, Kit(folder / "kit"), folder / "row", said.append)


def test_words_choose_rows() -> None:
    assert chosen([]) == ROWS
    assert {each.pool for each in chosen(["POOL"])} == {"threads", "gevent", "eventlet", "solo"}
    assert [each.name for each in chosen(["tls", "solo"])] == [
        "TLS with an own authority",
        "pool solo",
    ]


def test_a_word_that_is_in_no_name_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["nonsense"]) == 2
    assert "no row with nonsense: embedded Redis" in capsys.readouterr().out


def test_names_of_rows_differ() -> None:
    assert len({each.name for each in ROWS}) == len(ROWS)


def test_what_passed_tells_what_it_counted(tmp_path: Path) -> None:
    found = outcome(tmp_path, row(tmp_path, "ok one", "harm", COUNTED))
    assert found.result == "passed: 5 executions, 1 kills, a fail-over"
    assert (tmp_path / "row" / "harmed").exists()
    assert not found.failed


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (["ok one", "harm", "failed ValueError: no"], 1, "after 'one': ValueError: no"),
        (["harm"], 3, "after 'nothing': it ended with 3"),
        (["harm"], 0, "after 'nothing': it ended with 0"),
        (["harm", COUNTED], 1, "after 'nothing': it ended with 1"),
        (["harm", "garbage"], 0, "JSONDecodeError: "),
    ],
)
def test_what_failed_tells_why(tmp_path: Path, lines: list[str], code: int, said: str) -> None:
    found = outcome(tmp_path, row(tmp_path, *lines, code=code))
    assert found.failed
    assert found.result.startswith(f"FAILED: {said}")


def test_what_is_missing_is_no_failure(tmp_path: Path) -> None:
    packages: Mapping[str, str] = {"/nowhere/redis-server": "redis-server"}
    found = outcome(tmp_path, row(tmp_path, packages=packages))
    assert found.result.startswith("not run: redis-server of Debian is not installed")
    assert not found.failed


def test_a_python_that_is_not_installed_is_missing() -> None:
    with pytest.raises(Missing, match=r"no Python 2\.1 is installed"):
        python_of("2.1")


def test_a_wheel_without_the_program_is_missing(tmp_path: Path) -> None:
    (tmp_path / "some-wheel").mkdir()
    with pytest.raises(Missing, match="some-wheel has no redis-server"):
        Kit(tmp_path).program("some-wheel", "redis-server")


@pytest.mark.parametrize(
    ("said", "kind"), [("No solution found when", Unsolvable), ("Failed to fetch", Missing)]
)
def test_bounds_that_contradict_each_other_are_no_missing_thing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, kind: type[Exception]
) -> None:
    def uv(_: Kit, *words: str) -> None:
        (tmp_path / "new" / "bin").mkdir(parents=True, exist_ok=True)
        if words[0] == "pip":
            raise Missing(said)

    monkeypatch.setattr(Kit, "_uv", uv)
    for _ in range(2):  # what is made by halves is no environment for the next row
        with pytest.raises(kind, match=said):
            Kit(tmp_path).environment("new", Path("python"))


def test_a_server_that_is_left_is_a_failure(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "row" / "left")

    def leaves(_: Ground) -> AbstractContextManager[Place]:
        server.start()
        return nullcontext(Place("redis 6", {}))

    found = outcome(tmp_path, replace(row(tmp_path, "harm", COUNTED), place=leaves))
    server.process.end()
    assert found.result.startswith("FAILED: AssertionError: servers were left")


def test_the_table_names_what_was_not_run(tmp_path: Path) -> None:
    made = row(tmp_path)
    outcomes = [
        Outcome(
            made, "passed: 5 executions", "redis 6", {"Python": "3", "celery": "5", "redis": "8"}
        ),
        Outcome(made, "not run: no a|b"),
    ]
    head, rule, *rows = table(outcomes).splitlines()
    assert [cell.strip() for cell in rows[0].split("|")[1:-1]] == [
        *("mine", "redis 6", "prefork", "3", "5", "8"),
        "passed: 5 executions",
    ]
    assert r"not run: no a\|b" in rows[1]
    assert len(head) == len(rule) == len(rows[0])


def test_the_documents_get_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "substrates.md"
    document.write_text(f"# Before\n\n{program.MARK}\nan old table\n")
    monkeypatch.setattr(program, "DOCUMENT", document)
    program.write([Outcome(row(tmp_path), "not run: why")])
    before, _, after = document.read_text().partition(program.MARK)
    assert before == "# Before\n\n"
    assert "an old table" not in after
    assert "not run: why" in after


def test_the_document_of_the_repository_can_be_written() -> None:
    assert program.MARK in program.DOCUMENT.read_text()


@pytest.mark.parametrize("rules", [CLIENT, WORKER.removeprefix(f"{CLIENT} ")])
def test_operators_are_told_of_the_users_that_were_run(rules: str) -> None:
    told = " ".join((ROOT / "README.md").read_text().replace("\\\n", " ").split())
    assert rules in told
