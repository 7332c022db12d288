"""How a caller cancels a run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.replies import Changed

from ..shared.supersteps import nonce
from .effects import Effect


def cancel(thread: Thread, run: str = "", *, kill: bool = False) -> Generator[Effect, Any, bool]:
    """Cancel ``run``, or whichever the thread has; False when there is none to cancel.

    ``kill``: have what still runs of it ended.
    """
    changed: Changed = yield commands.cancel(thread, run, ep=nonce())
    done = changed.status == "cancelled"
    if kill and done:
        yield commands.kill(thread.namespace, thread.x)
    return done
