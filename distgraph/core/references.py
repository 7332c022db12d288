"""The opaque references of what channels hold: equal ones are the same value, and no more."""

from __future__ import annotations

INITIAL = "-"
"""What a channel has that still holds the value with which its thread began."""


def reference(checkpoint_id: str) -> str:
    """Return the reference of what the superstep of a checkpoint writes: short, and unique."""
    return checkpoint_id[-17:].replace("-", "")
