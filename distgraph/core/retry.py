"""Whether a failed attempt is followed by another one, and when."""

from __future__ import annotations

from distgraph._exceptions import annotate
from distgraph.core.graph import Node
from distgraph.core.model import Errored
from distgraph.core.recorded import said
from distgraph.errors import InterruptTimeout
from distgraph.types import RetryPolicy


def retry_delay(node: Node, error: Errored, failures: int, jitter: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None when ``error`` is final.

    The first policy that accepts the exception counts; when one cannot say whether it does, the
    error is final. InterruptTimeout is tried again only where a policy names it, or a function of
    its own says so: the next attempt meets it again. ``failures`` counts this one too, and no
    attempt whose process was killed; ``jitter`` is a draw from 0..1.
    """
    raised = error.exception
    if not isinstance(raised, Exception):
        return None
    try:
        policy = next((policy for policy in node.retry if _accepts(policy, raised)), None)
    except Exception as wrong:  # noqa: BLE001 a predicate is a user's code too
        annotate(
            raised, f"retry_on of node '{node.name}' raised {type(wrong).__name__}: {said(wrong)}"
        )
        return None
    if policy is None or failures >= policy.max_attempts:
        return None
    return policy.delay(failures, jitter)


def _accepts(policy: RetryPolicy, raised: Exception) -> bool:
    return policy.accepts(raised) and (not _is_late(raised) or _names_it(policy))


def _is_late(raised: BaseException) -> bool:
    if isinstance(raised, BaseExceptionGroup):
        return any(map(_is_late, raised.exceptions))
    return isinstance(raised, InterruptTimeout)


def _names_it(policy: RetryPolicy) -> bool:
    given = policy.retry_on
    classes = given if isinstance(given, list | tuple) else [given]
    own = (
        not any(isinstance(each, type) for each in classes) and given is not RetryPolicy().retry_on
    )
    return own or any(isinstance(c, type) and issubclass(c, InterruptTimeout) for c in classes)
