"""Values on the command line: JSON, or a file that holds it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .exits import CommandError, Exit

_PAST = re.compile(r"([0-9]{1,5})(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


def read_json(option: str, text: str) -> Any:
    """Return the value of ``text``: JSON, ``@file``, or ``@-`` for standard input."""
    source = _content(option, text[1:]) if text.startswith("@") else text
    try:
        return json.loads(source)
    except ValueError as wrong:
        hint = "" if text.startswith("@") else """ A text is written '"so"'; a file is @file."""
        raise CommandError(f"{option} is not JSON: {wrong}.{hint}", Exit.USAGE) from wrong


def read_metadata(given: Iterable[str]) -> dict[str, Any]:
    """Return what each ``key=value`` names: a value is JSON, or else a text."""
    pieces = (each.partition("=") for each in given)
    found = {key: _scalar(value) if equals else None for key, equals, value in pieces}
    if missing := [key for key, value in found.items() if value is None]:
        raise CommandError(f"--metadata {missing[0]!r}: it is KEY=VALUE.", Exit.USAGE)
    return found


def read_moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Return a time: so long before ``now`` (30min, 2h, 3d), or one in ISO 8601, by UTC."""
    if text is None:
        return None
    if past := _PAST.fullmatch(text):
        return now - timedelta(seconds=int(past[1]) * _SECONDS[past[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        said = f"{option} {text!r} is no time: 30min, 2h or 3d ago, or one as 2026-01-31T12:00."
        raise CommandError(said, Exit.USAGE) from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _scalar(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, int | float | str) else text


def _content(option: str, name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as unread:
        raise CommandError(f"{option}: {name} cannot be read: {unread}", Exit.USAGE) from unread
