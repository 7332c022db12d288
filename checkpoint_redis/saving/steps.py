"""What the conversations of a saver have in common."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from typing import Any, TypeVar

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import Changed
from distgraph.errors import ThreadBusy, ThreadConflict, ThreadNotFound

T = TypeVar("T")
Steps = Generator[Script[Any] | Plain[Any], Any, T]
ATTEMPTS = 5
"""How often a change is tried again when the thread changed in between."""


def check(changed: Changed, thread: Thread) -> None:
    name = thread.thread_id or thread.x
    if changed.status == "busy":
        raise ThreadBusy(
            f"Workers carry run {changed.run} of thread {name!r}: its state is theirs until the "
            "run ends. Call again when it has ended; `distgraph cancel` ends it at once."
        )
    if changed.status == "missing":
        raise ThreadNotFound(f"There is no thread {name!r}: it was deleted, or never stored.")
    if changed.status == "conflict":
        raise ThreadConflict(f"Somebody else changed thread {name!r} meanwhile: try again.")


def nonce() -> str:
    return secrets.token_hex(8)
