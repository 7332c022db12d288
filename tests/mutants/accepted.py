"""The lines that may survive, each with the reason; the list must stay true."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.mutants.lines import Line

ACCEPTED = Path(__file__).with_name("accepted.toml")


def read(path: Path = ACCEPTED) -> dict[Line, str]:
    """Return line -> reason."""
    with path.open("rb") as file:
        entries = tomllib.load(file).get("line", [])
    found = {Line(e["file"], e["text"], e.get("nth", 1)): e["reason"] for e in entries}
    if len(found) < len(entries):
        raise ValueError(f"{path} lists a line twice")
    return found


def wrong(accepted: Mapping[Line, str], survived: Mapping[Line, bool]) -> Iterator[str]:
    """Yield what is not true of the list; `survived` holds every line that was looked at."""
    files = {line.file for line in survived}
    for line in survived:
        if survived[line] and line not in accepted:
            yield f"survives, and is not listed as accepted: {line}"
    for line in accepted:
        if line.file in files and line not in survived:
            yield f"accepted, but there is no such line: {_entry(line)}"
        elif not survived.get(line, True):
            yield f"accepted, but a test misses it: {_entry(line)}"


def _entry(line: Line) -> str:
    nth = f" (nth = {line.nth})" if line.nth > 1 else ""
    return f"{line.file}: {line.text}{nth}"
