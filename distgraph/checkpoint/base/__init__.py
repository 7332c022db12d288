"""What every saver shares: the contract, its shapes, ids and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
from distgraph.checkpoint.base.config import (
    copy_checkpoint,
    empty_checkpoint,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.saver import BaseCheckpointSaver
from distgraph.checkpoint.base.types import (
    EXCLUDED_METADATA_KEYS,
    LATEST_VERSION,
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
)
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.errors import EmptyChannelError

__all__ = [
    "EXCLUDED_METADATA_KEYS",
    "LATEST_VERSION",
    "WRITES_IDX_MAP",
    "BaseCheckpointSaver",
    "ChannelVersions",
    "Checkpoint",
    "CheckpointMetadata",
    "CheckpointTuple",
    "EmptyChannelError",
    "PendingWrite",
    "SerializerProtocol",
    "copy_checkpoint",
    "empty_checkpoint",
    "get_checkpoint_id",
    "get_checkpoint_metadata",
]

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
