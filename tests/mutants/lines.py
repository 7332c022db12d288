"""The lines of the scripts, and what is left of the scripts without one of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lupa import lua51

from checkpoint_redis import source
from tests.support.thread_driver import using_scripts


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a script's file: the `nth` of those that read `text`, from 1 on.

    `file` is its path in the folder of the scripts.
    """

    file: str
    text: str
    nth: int = 1
    number: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A line taken out: `content` is left of its file, which the `scripts` hold.

    `digest` stands for the line, for the scripts as they are, and for their tests.
    """

    line: Line
    content: str
    scripts: tuple[str, ...]
    digest: str


def lines_of(file: str, content: str) -> Iterator[Line]:
    """Yield the lines that count: those that are more than space and comment."""
    seen: Counter[str] = Counter()
    for number, raw in enumerate(content.splitlines(), 1):
        text = raw.strip()
        if text and not text.startswith("--"):
            seen[text] += 1
            yield Line(file, text, seen[text], number)


def without(content: str, number: int) -> str:
    """Return `content` with its line `number` emptied, so that all others keep their numbers."""
    lines = content.split("\n")
    return "\n".join([*lines[: number - 1], "", *lines[number:]])


def mutants(files: tuple[str, ...] = (), salt: str = "") -> Iterator[Mutant]:
    """Yield a mutant for each line of `files` (none = all); `salt` is the digest of the tests."""
    paths = {str(p.relative_to(source.FOLDER)): p for p in source.FOLDER.rglob("*.lua")}
    names = [file.removesuffix(".lua") for file in sorted(paths)]
    for file, path in sorted(paths.items()):
        if files and file not in files:
            continue
        held = [name for name in names if file in source.files(name)]
        # The smallest first: there it is seen soonest whether the rest compiles.
        scripts = tuple(sorted(held, key=lambda name: len(source.lua(name))))
        before = hashlib.sha256("\0".join([salt, *map(source.lua, scripts)]).encode())
        content = path.read_text()
        for line in lines_of(file, content):
            summed = before.copy()
            summed.update(f"\0{line.file}\0{line.nth}\0{line.text}".encode())
            yield Mutant(line, without(content, line.number), scripts, summed.hexdigest())


def fault(mutant: Mutant, copy: Path) -> str:
    """Return why there is no mutant: what is left makes no script. `copy` is one of the scripts."""
    path = copy / mutant.line.file
    content = path.read_text()
    path.write_text(mutant.content)
    try:
        with using_scripts(copy):
            text = source.lua(mutant.scripts[0])
    except Exception:  # noqa: BLE001 - whatever the assembly finds wrong
        return "cannot be put together"
    finally:
        path.write_text(content)
    return "" if compiles(text) else "does not compile"


def compiles(text: str) -> bool:
    # Of its own each time: a runtime keeps what it has compiled.
    runtime: Any = lua51.LuaRuntime()
    try:
        runtime.compile(text)
    except lua51.LuaError:
        return False
    return True
