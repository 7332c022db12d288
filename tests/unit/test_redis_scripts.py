"""How scripts are put together: parts, arguments, and names that stand in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import checkpoint_redis
from checkpoint_redis import folding, source
from checkpoint_redis.commands.script import Arguments
from checkpoint_redis.records import SuperstepEntry
from tests.support.lua_code import globals_of

PACKAGE = Path(checkpoint_redis.__file__).parent
FILES = sorted(path.name for path in source.FOLDER.glob("*.lua"))
KNOWN = {"redis", "cjson", "KEYS", "ARGV", "string", "table", "math"}
KNOWN |= {"tonumber", "pairs", "ipairs", "unpack", "error", "pcall", "type"}
LARGEST = 9
"""A number above this one has a name."""


def calls() -> Iterator[tuple[str, set[str]]]:
    """Find the scripts that commands name, with the arguments that they send."""
    for path in (PACKAGE / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            made = isinstance(node.func, ast.Attribute) and node.func.attr == "script"
            if made or (isinstance(node.func, ast.Name) and node.func.id == "Script"):
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    yield str(name.value), {word.arg for word in node.keywords if word.arg}


SCRIPTS = sorted({name for name, _ in calls()})
every_script = pytest.mark.parametrize("name", SCRIPTS)
every_file = pytest.mark.parametrize("file", FILES)


@cache
def code(file: str) -> tuple[str, ...]:
    """Return a file without its comments, cut into pieces."""
    found = folding.tokens((source.FOLDER / file).read_text())
    return tuple(token.text for token in found if token.kind != "skip")


@cache
def names(file: str) -> frozenset[str]:
    """Return the names in a file but those of fields."""
    pieces = code(file)
    fields = {n for n, piece in enumerate(pieces) if n and pieces[n - 1] == "."}
    fields |= {n for n, piece in enumerate(pieces[:-1]) if n and is_field(pieces, n)}
    return frozenset(
        piece for n, piece in enumerate(pieces) if n not in fields and piece.isidentifier()
    )


def is_field(pieces: tuple[str, ...], n: int) -> bool:
    """Whether a name gets a value inside of {}."""
    return pieces[n + 1] == "=" and pieces[n - 1] in ("{", ",") and "local" not in pieces[n - 9 : n]


@cache
def defined(file: str) -> frozenset[str]:
    """Return the names that a file gives to those that need it."""
    text = (source.FOLDER / file).read_text()
    functions = re.findall(r"^local function (\w+)", text, re.MULTILINE)
    values = re.findall(r"^local (?!function )([\w, ]+?)(?: =|$)", text, re.MULTILINE)
    return frozenset((*functions, *(name.strip() for line in values for name in line.split(","))))


def own(file: str) -> set[str]:
    """Return all names that a file makes itself, also inside of its functions."""
    text = (source.FOLDER / file).read_text()
    made = re.findall(r"\blocal (?!function\b)([\w, \n]+?)(?: =| in\b|$)", text, re.MULTILINE)
    made += re.findall(r"\bfunction(?: \w+)?\(([\w, ]*)\)|\bfor ([\w, ]+?) (?:in|=)", text)
    return set(re.findall(r"\w+", str(made))) | defined(file)


# --- files ----------------------------------------------------------------------------------------


def test_every_file_belongs_to_a_script() -> None:
    assert {file for name in SCRIPTS for file in source.files(name)} == set(FILES)


@every_file
def test_a_file_names_what_it_uses_and_nothing_else(file: str) -> None:
    parts = set(FILES) - {f"{name}.lua" for name in SCRIPTS} - {file}
    used = {part for part in parts if (names(file) - own(file)) & defined(part)}
    assert set(source.needs(file)) == used


@every_file
def test_a_part_hides_nothing_of_another(file: str) -> None:
    together = [source.files(name) for name in SCRIPTS if file in source.files(name)]
    others = {other for files in together for other in files} - {file}
    assert not {name for other in others for name in defined(other)} & defined(file)


@every_file
def test_what_a_part_gives_is_used(file: str) -> None:
    users = [names(each) for each in FILES if each != file and file in source.needs(each)]
    inside = (source.FOLDER / file).read_text()
    for name in defined(file):
        assert any(name in user for user in users) or len(re.findall(rf"\b{name}\b", inside)) > 1


def test_files_that_need_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.lua").write_text("-- needs: b.lua\n")
    (tmp_path / "b.lua").write_text("-- needs: a.lua\n")
    monkeypatch.setattr(source, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=re.escape("a.lua -> b.lua -> a.lua")):
        source.files("a")


def test_a_part_that_many_need_stands_once_and_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base.lua").write_text("local x\n")
    (tmp_path / "part.lua").write_text("-- needs: base.lua\n")
    (tmp_path / "whole.lua").write_text("-- needs: part.lua base.lua\n")
    monkeypatch.setattr(source, "FOLDER", tmp_path)
    assert source.files("whole") == ("base.lua", "part.lua", "whole.lua")


# --- scripts --------------------------------------------------------------------------------------


@every_script
def test_every_name_of_a_script_is_defined(name: str) -> None:
    assert globals_of(source.lua(name)) <= KNOWN


@every_script
def test_a_script_reads_what_its_command_sends(name: str) -> None:
    sent = set().union(*(words for called, words in calls() if called == name))
    assert {field for file in source.files(name) for field in fields_of("A", code(file))} == sent


def test_a_superstep_is_sent_with_what_opening_it_reads() -> None:
    files = ("open.lua", "caller_writes.lua")
    sent = Arguments().superstep(SuperstepEntry("ep", (), (), "go"))
    assert {field for file in files for field in fields_of("s", code(file))} == sent.keys()


def fields_of(name: str, pieces: tuple[str, ...]) -> set[str]:
    return {pieces[n + 2] for n in range(len(pieces) - 2) if pieces[n : n + 2] == (name, ".")}


# --- one place ------------------------------------------------------------------------------------


@every_file
def test_no_file_spells_what_has_a_name(file: str) -> None:
    known = {value for words in folding.vocabulary().values() for value in words.values()}
    known |= {f"'^{value[1:]}" for value in known if value.startswith("'") and len(value) > 3}
    for token in folding.tokens((source.FOLDER / file).read_text()):
        if token.kind == "string":
            assert token.text not in known, f"{token.text} has a name"
        if token.kind == "other" and token.text.isdigit():
            assert int(token.text) <= LARGEST, f"{token.text} needs a name"


READERS = [PACKAGE / "events.py", *sorted((PACKAGE / "commands").glob("*.py"))]


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.stem))
def test_no_module_spells_a_position(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            assert not isinstance(node.slice.value, int), f"{path.name}:{node.lineno}"
