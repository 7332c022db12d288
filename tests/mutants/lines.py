"""The lines of the scripts, and what is left of the scripts without one of them."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lupa import lua51

from checkpoint_redis import source
from tests.support.thread_driver import using_scripts


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a script's file: the `nth` of those that read `text`, from 1 on."""

    file: str
    text: str
    nth: int = 1
    number: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A line taken out: `content` is left of its file, and `scripts` have changed by it.

    `fault` says why there is no mutant: without the line nothing changes, or does not compile.
    """

    line: Line
    content: str
    scripts: frozenset[str]
    digest: str
    fault: str = ""


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


def mutants(copy: Path, files: tuple[str, ...] = (), salt: str = "") -> Iterator[Mutant]:
    """Yield a mutant for each line of `files` (none = all); `copy` becomes a copy of the scripts.

    `salt` is what else a digest depends on.
    """
    shutil.copytree(source.FOLDER, copy)
    names = sorted(path.stem for path in copy.glob("*.lua"))
    original = _assembled(names)
    with using_scripts(copy):
        for path in sorted(copy.glob("*.lua")):
            if files and path.name not in files:
                continue
            content = path.read_text()
            for line in lines_of(path.name, content):
                yield _mutant(path, line, content, original, salt)
            path.write_text(content)


def _mutant(
    path: Path, line: Line, content: str, original: dict[str, str | None], salt: str
) -> Mutant:
    left = without(content, line.number)
    path.write_text(left)
    with using_scripts(path.parent):
        found = _assembled(list(original))
    changed = {name: found[name] for name in found if found[name] != original[name]}
    texts = "\0".join(f"{name}\0{changed[name]}" for name in sorted(changed))
    digest = hashlib.sha256(f"{salt}\0{texts}".encode()).hexdigest()
    return Mutant(line, left, frozenset(changed), digest, _fault(changed))


def _assembled(names: list[str]) -> dict[str, str | None]:
    """Return the whole text of each script, None where it cannot be put together."""
    found: dict[str, str | None] = dict.fromkeys(names)
    for name in names:
        with suppress(ValueError, LookupError):
            found[name] = source.lua(name)
    return found


def _fault(changed: dict[str, str | None]) -> str:
    texts = [text for text in changed.values() if text is not None]
    if not changed:
        return "no script changes"
    if len(texts) < len(changed):
        return "the script cannot be put together"
    return "" if compiles(min(texts, key=len)) else "does not compile"


def compiles(text: str) -> bool:
    # Of its own each time: a runtime keeps what it has compiled.
    runtime: Any = lua51.LuaRuntime()
    try:
        runtime.compile(text)
    except lua51.LuaError:
        return False
    return True
