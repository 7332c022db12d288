"""Where a command's answer goes: JSON for programs, tables and panels for people."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

MINUTE, HOUR, DAY = 60, 3_600, 86_400
UNWRAPPED = 1_000_000
"""So many characters fit into a line where there is no screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """``as_json``: only JSON goes to stdout, and everything meant for people to stderr."""

    as_json: bool = False

    @property
    def console(self) -> Console:
        """What people read; made anew, because the streams may have been replaced.

        Where there is no terminal, but a file or a pipe, nothing is wrapped: a row is a line.
        """
        console = Console(stderr=self.as_json, highlight=False)
        if not console.is_terminal:
            console.width = UNWRAPPED
        return console

    def answer(self, data: Any, shown: RenderableType) -> None:
        """Print the command's answer, ``data`` for programs or ``shown`` for people."""
        if self.as_json:
            self.data(data)
        else:
            self.console.print(shown)

    def data(self, data: Any) -> None:
        """Print one JSON document on a line of its own."""
        sys.stdout.write(f"{as_json(data)}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a sentence for people."""
        self.console.print(Text(text))

    def line(self, text: str) -> None:
        """Print a line that must not be wrapped, such as a command to copy."""
        self.console.print(Text(text), soft_wrap=True)


def as_json(data: Any, indent: int | None = None) -> str:
    """Return any state as JSON; what JSON cannot say is written as Python shows it."""
    return json.dumps(_jsonable(data), indent=indent)


def _jsonable(value: Any) -> Any:
    try:
        return to_jsonable_python(value, fallback=repr, serialize_unknown=True)
    except (UnicodeEncodeError, PydanticSerializationError):
        return _by_parts(value)


def _by_parts(value: Any) -> Any:
    """Return a value in which half a character is: JSON itself can escape one."""
    match value:
        case str():
            return str(value)
        case dict():
            return {str(key): _jsonable(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_jsonable(each) for each in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: _jsonable(getattr(value, each.name)) for each in fields(value)}
        case _:
            return ascii(value)


def plain(value: object) -> Text:
    """Return a value as text that cannot move the cursor or start markup."""
    text = str(value)
    return Text("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) or "''")


def table(*heads: str) -> Table:
    """Return an empty table whose long cells are folded, never cut; heads may all be empty."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(heads))
    for head in heads:
        made.add_column(head, overflow="fold")
    return made


def ago(moment: datetime, now: datetime) -> str:
    """Say how long before ``now`` a moment was, as people do."""
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def size(count: int) -> str:
    """Return a number of bytes in a unit that reads well."""
    kilo = 1024
    if count < kilo:
        return f"{count} bytes"
    if count < kilo * kilo:
        return f"{count / kilo:.1f} KB"
    return f"{count / kilo / kilo:.1f} MB"
