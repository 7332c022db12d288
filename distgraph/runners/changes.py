"""Which channels the superstep before a checkpoint wrote."""

from __future__ import annotations

from distgraph.checkpoint.codec import own_reference
from distgraph.core.model import Checkpoint


def changed_channels(checkpoint: Checkpoint) -> frozenset[str]:
    """Return the channels that have the checkpoint's own reference."""
    own = own_reference(checkpoint)
    return frozenset(name for name, ref in checkpoint.versions.items() if ref == own)
