"""The text of the Lua scripts: files of ``scripts/`` with what their first line includes."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "scripts"
_INCLUDE = "-- include: "


@cache
def lua(name: str) -> str:
    """Return the whole source of a script: its includes, in order, then itself."""
    body = (FOLDER / f"{name}.lua").read_text()
    first = body.partition("\n")[0]
    names = first.removeprefix(_INCLUDE).split() if first.startswith(_INCLUDE) else []
    return "\n".join([*((FOLDER / each).read_text() for each in names), body])


@cache
def sha(name: str) -> str:
    return hashlib.sha1(lua(name).encode(), usedforsecurity=False).hexdigest()
