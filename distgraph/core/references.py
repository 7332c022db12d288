"""The opaque reference that a channel has: which checkpoint wrote it last."""

from __future__ import annotations

from distgraph.core.model import Checkpoint, Stamp


def reference(parent: Checkpoint | None, stamp: Stamp) -> str:
    """Return the reference of what the checkpoint ``stamp`` writes: short, and unique."""
    return _written(parent.step + 1 if parent else -1, stamp.id)


def own_reference(checkpoint: Checkpoint) -> str:
    """Return the reference that the superstep of ``checkpoint`` gave to the channels it wrote."""
    return _written(checkpoint.step, checkpoint.id)


def _written(step: int, checkpoint_id: str) -> str:
    return f"{step}.{checkpoint_id[-12:]}"


def written_at(ref: str) -> int:
    """Return the step number that gave a channel the reference ``ref``."""
    return int(ref.partition(".")[0])


def changed_channels(checkpoint: Checkpoint) -> frozenset[str]:
    """Return the channels that the superstep of ``checkpoint`` wrote."""
    own = own_reference(checkpoint)
    return frozenset(name for name, ref in checkpoint.versions.items() if ref == own)
