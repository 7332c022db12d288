"""How a caller cancels a run."""

from __future__ import annotations

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger

from ..shared.supersteps import nonce


def cancel(ledger: Ledger, thread: Thread, run: str = "") -> bool:
    """Cancel ``run``, or whichever the thread has; False when there is none to cancel."""
    return ledger.cancel(thread, run, ep=nonce()).status == "cancelled"
