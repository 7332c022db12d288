"""Values on the command line: JSON, or a file that holds it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from workers.cli.exits import CommandError, Exit


def read_json(option: str, text: str) -> Any:
    """Return the value of ``text``: JSON, ``@file``, or ``@-`` for standard input."""
    source = _content(option, text[1:]) if text.startswith("@") else text
    try:
        return json.loads(source)
    except ValueError as wrong:
        hint = "" if text.startswith("@") else """ A text is written '"so"'; a file is @file."""
        raise CommandError(f"{option} is not JSON: {wrong}.{hint}", Exit.USAGE) from wrong


def _content(option: str, name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as unread:
        raise CommandError(f"{option}: {name} cannot be read: {unread}", Exit.USAGE) from unread
