"""Removes what is too much for one script, in slices.

Generators of commands, which a saver or a client carries.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.commands import Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import Changed


def delete(thread: Thread, ep: str = "") -> Generator[Script[Any], Any, Changed]:
    """Remove all of a thread, with ``ep`` only while it rests and that is its epoch.

    -> ok | missing | busy(run) | conflict(head).
    """
    while True:
        changed: Changed = yield commands.delete(thread, ep=ep)
        if changed.status != "more":
            return changed
