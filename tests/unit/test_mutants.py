"""The tool that takes lines out of the scripts: what counts, what is kept, what is reported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis import source
from tests.mutants import accepted, suite
from tests.mutants.jobs import Job, Known, Try
from tests.mutants.lines import Line, Mutant, lines_of, mutants, without
from tests.mutants.results import Result, Results
from tests.mutants.run import attempt, real

SCRIPT = """-- A script.

local a = 1

  -- why
if a == 1 then
  redis.call('DEL', 'x')
end
if a == 2 then return 2 end
redis.call('DEL', 'x')
return a
"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder that holds one small script, in the place of the real ones."""
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "small.lua").write_text(SCRIPT)
    monkeypatch.setattr(source, "FOLDER", folder)
    source.lua.cache_clear()
    yield folder
    source.lua.cache_clear()


def found(salt: str = "") -> dict[str, Mutant]:
    return {f"{m.line.text} {m.line.nth}": m for m in mutants(salt=salt)}


def test_space_and_comments_do_not_count() -> None:
    assert [(line.number, line.nth, line.text) for line in lines_of("f.lua", SCRIPT)] == [
        (3, 1, "local a = 1"),
        (6, 1, "if a == 1 then"),
        (7, 1, "redis.call('DEL', 'x')"),
        (8, 1, "end"),
        (9, 1, "if a == 2 then return 2 end"),
        (10, 2, "redis.call('DEL', 'x')"),
        (11, 1, "return a"),
    ]


def test_a_line_goes_and_the_others_keep_their_numbers() -> None:
    assert without("a\nb\nc\n", 2) == "a\n\nc\n"


def test_what_does_not_compile_is_no_mutant(scripts: Path, tmp_path: Path) -> None:
    given = found()
    with closing(Results(tmp_path / "results.sqlite")) as results:
        left = real(given.values(), results, tmp_path / "copy")
        faulty = given.keys() - {f"{m.line.text} {m.line.nth}" for m in left}
        assert faulty == {"if a == 1 then 1", "end 1"}
        assert results.of(given["end 1"]) == Result(given["end 1"].digest, fault="does not compile")
    assert (tmp_path / "copy" / "small.lua").read_text() == SCRIPT


def test_scripts_in_folders_are_looked_at() -> None:
    found = next(mutants(("langgraph/find.lua",)))
    assert (found.line.file, found.scripts) == ("langgraph/find.lua", ("langgraph/find",))


def test_a_line_of_a_part_belongs_to_every_script_that_has_it() -> None:
    every, one = next(mutants(("lib.lua",))), next(mutants(("claim.lua",)))
    assert {"claim", "commit", "sweep"} <= {*every.scripts}
    assert one.scripts == ("claim",)


def test_a_digest_changes_with_the_script_and_with_the_tests(scripts: Path) -> None:
    before, same, other = found("tests"), found("tests"), found("changed")
    assert before == same
    assert not {m.digest for m in before.values()} & {m.digest for m in other.values()}
    assert len({m.digest for m in before.values()}) == len(before)
    (scripts / "small.lua").write_text(SCRIPT.replace("return a", "return b"))
    source.lua.cache_clear()
    assert found("tests")["local a = 1 1"].digest != before["local a = 1 1"].digest


def test_the_list_of_the_accepted_stays_true(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(
        "".join(
            f'[[line]]\nfile = "f.lua"\ntext = "{text}"\nreason = "r"\n'
            for text in ("kept", "missed", "gone")
        )
        + '[[line]]\nfile = "other.lua"\ntext = "not looked at"\nreason = "r"\n'
    )
    survived = {
        Line("f.lua", "kept"): True,
        Line("f.lua", "missed"): False,
        Line("f.lua", "new"): True,
        Line("f.lua", "fine"): False,
    }
    assert list(accepted.wrong(accepted.read(path), survived)) == [
        "survives, and is not listed as accepted: f.lua:0: new",
        "accepted, but a test misses it: f.lua: missed",
        "accepted, but there is no such line: f.lua: gone",
    ]


def test_a_line_is_accepted_once(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text('[[line]]\nfile = "f.lua"\ntext = "x"\nreason = "r"\n' * 2)
    with pytest.raises(ValueError, match="twice"):
        accepted.read(path)


def test_every_accepted_line_has_a_reason() -> None:
    assert all(accepted.read().values())


class Stopping:
    """A crew whose only test misses every line but returns; it is stopped after some jobs."""

    def __init__(self, jobs: int) -> None:
        self.left = jobs

    def carry_out(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, Any]]:
        for job in jobs:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            assert isinstance(job, Try)
            yield job, "test" if "return a" in job.content else ""


def test_a_run_that_was_stopped_goes_on_where_it_was(scripts: Path, tmp_path: Path) -> None:
    results = Results(tmp_path / "results.sqlite")
    given = real(mutants(), results, tmp_path / "copy")
    tests = [Known("test", 0.1, frozenset({"small"}))]
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        attempt(Stopping(3), given, tests, results, said.append)  # type: ignore[arg-type]
    results.close()
    with closing(Results(tmp_path / "results.sqlite")) as results:
        left = [m for m in given if not results.of(m)]
        assert len(left) == len(given) - 3
        attempt(Stopping(9), left, tests, results, said.append)  # type: ignore[arg-type]
        assert said == ["survives: small.lua:11: return a"]
        assert [m.line.text for m in given if not results.of(m)] == []


def test_what_missed_a_line_before_is_tried_first() -> None:
    mutant = Mutant(Line("f.lua", "x"), "", ("claim",), "d")
    tests = [
        Known(f"{suite.SIMULATIONS[0]}::t", 0.1, frozenset({"claim"})),
        Known("slow", 2.0, frozenset({"claim"})),
        Known("quick", 0.2, frozenset({"claim", "load"})),
        Known("before", 9.0, frozenset({"claim"})),
        Known("elsewhere", 0.1, frozenset({"load"})),
    ]
    ordered = suite.order(mutant, tests, ["before"])
    assert [test.id for test in ordered] == ["before", "quick", "slow", tests[0].id]
