"""Reads what a saver noted of a checkpoint's tasks."""

from __future__ import annotations

from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread


def log(thread: Thread, fields: tuple[str, ...]) -> Script[tuple[bytes | None, ...]]:
    """Read records by their fields: the first of them, as many as fit into a reply."""
    return Arguments().script("values", thread, tuple, fields=fields)
