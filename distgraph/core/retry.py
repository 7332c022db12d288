"""Whether a failed attempt is followed by another one, and when."""

from __future__ import annotations

from distgraph.core.graph import Node
from distgraph.core.model import Errored


def retry_delay(node: Node, error: Errored, attempt: int, jitter: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None when ``error`` is final.

    The first policy that accepts the exception counts. ``jitter`` is a draw from 0..1.
    """
    raised = error.exception
    if not isinstance(raised, Exception):
        return None
    for policy in node.retry:
        if policy.accepts(raised):
            return policy.delay(attempt, jitter) if attempt < policy.max_attempts else None
    return None
