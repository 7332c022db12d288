"""The text of the Lua scripts: a file of ``scripts/`` after the parts that it needs.

A file names what it uses directly in its first line, ``-- needs: lib.lua task.lua``; the order
follows from that. Names of ``layout`` are written out, and functions put where they are used.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from checkpoint_redis.folding import fold
from checkpoint_redis.nesting import nested

FOLDER = Path(__file__).parent / "scripts"
_NEEDS = "-- needs: "
_folded = cache(fold)


@cache
def lua(name: str) -> str:
    """Return the whole source of a script."""
    return nested(_folded((FOLDER / each).read_text()) for each in files(name))


@cache
def sha(name: str) -> str:
    return hashlib.sha1(lua(name).encode(), usedforsecurity=False).hexdigest()


def assemble() -> None:
    """Put all scripts together, so that processes that are forked later have them."""
    needed = {part for path in FOLDER.glob("*.lua") for part in needs(path.name)}
    for path in FOLDER.glob("*.lua"):
        if path.name not in needed:
            sha(path.stem)


def files(name: str) -> tuple[str, ...]:
    """Return the files of a script: each once, after those that it needs, the script's own last."""
    found: dict[str, None] = {}
    _add(f"{name}.lua", found, ())
    return tuple(found)


def needs(file: str) -> tuple[str, ...]:
    """Return what a file says that it uses."""
    first = (FOLDER / file).read_text().partition("\n")[0]
    return tuple(first.removeprefix(_NEEDS).split()) if first.startswith(_NEEDS) else ()


def _add(file: str, found: dict[str, None], path: tuple[str, ...]) -> None:
    if file in path:
        raise ValueError(f"scripts need each other: {' -> '.join((*path, file))}")
    for each in needs(file):
        _add(each, found, (*path, file))
    found[file] = None
