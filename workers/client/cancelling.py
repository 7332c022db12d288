"""How a caller cancels a run."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger

from ..shared.supersteps import nonce


def cancel(ledger: Ledger, thread: Thread, run: str = "", *, kill: bool = False) -> bool:
    """Cancel ``run``, or whichever the thread has; False when there is none to cancel.

    ``kill``: have what still runs of it ended.
    """
    done = ledger.cancel(thread, run, ep=nonce()).status == "cancelled"
    if kill and done:
        ledger.call(commands.kill(thread.namespace, thread.x))
    return done
