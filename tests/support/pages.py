"""The Python programs that stand in a page of the documents."""

from __future__ import annotations

import re

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+)\.py\n")
LOCAL = "redis://localhost:6379/0"


def programs(page: str, redis: str) -> list[str]:
    """Return the programs of ``page``, with ``redis`` in place of the one on this machine."""
    return [block.replace(LOCAL, redis) for block in BLOCK.findall(page)]


def file_of(program: str) -> str | None:
    """Return the name of the module that ``program`` is, None for one that is to be run."""
    found = FILE.match(program)
    return found[1] if found else None
