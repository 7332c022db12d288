"""Whether a failed attempt is followed by another one, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from distgraph._exceptions import annotate
from distgraph.core.graph import Node
from distgraph.core.model import Errored
from distgraph.core.recorded import said
from distgraph.errors import GraphBubbleUp, InterruptTimeout
from distgraph.types import RetryPolicy

NO_POLICY = -1
"""Stands for the number of the policy that takes an exception where none does."""


def retry_delay(
    node: Node, error: Errored, failures: int, jitter: float, depth: int = 0
) -> float | None:
    """Return the seconds to wait before the next attempt, or None when ``error`` is final.

    The first policy that accepts the exception counts; when one cannot say whether it does, the
    error is final. InterruptTimeout is tried again only where a policy names it, or a function of
    its own says so: the next attempt meets it again. ``failures`` counts this one too, and no
    attempt whose process was killed; ``jitter`` is a draw from 0..1. ``depth``: how many nodes are
    around this one, whose policies may have been asked where a node inside of it failed.
    """
    asked = len(error.around) > depth
    number = error.around[depth] if asked else _accepting(node, error)
    if not NO_POLICY < number < len(node.retry) or failures >= node.retry[number].max_attempts:
        return None
    return node.retry[number].delay(failures, jitter)


def asked_around(nodes: Iterable[Node], error: Errored) -> Errored:
    """Return ``error`` with what the policies of the ``nodes`` around say of the live exception.

    Those who decide later have one that was made again from what is stored, or none.
    """
    return replace(error, around=tuple(_accepting(node, error) for node in nodes))


def _accepting(node: Node, error: Errored) -> int:
    """Return the number of the first policy that accepts the exception."""
    raised = error.exception
    if not isinstance(raised, Exception) or isinstance(raised, GraphBubbleUp):
        return NO_POLICY
    try:
        takers = (n for n, policy in enumerate(node.retry) if _accepts(policy, raised))
        return next(takers, NO_POLICY)
    except Exception as wrong:  # noqa: BLE001 a predicate is a user's code too
        annotate(
            raised, f"retry_on of node '{node.name}' raised {type(wrong).__name__}: {said(wrong)}"
        )
        return NO_POLICY


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
