"""Where a checkpoint is: the coordinates in a config, and the empty and copied checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from distgraph._arguments import shortly
from distgraph.checkpoint.base.id import next_id
from distgraph.checkpoint.base.types import (
    EXCLUDED_METADATA_KEYS,
    LATEST_VERSION,
    Checkpoint,
    CheckpointMetadata,
    RunnableConfig,
)

MISSING_KEYS = (
    "Checkpointer requires one or more of the following 'configurable' keys: "
    "thread_id, checkpoint_ns, checkpoint_id"
)
MAPPINGS = (dict, Mapping)
"""A dict is told from other values by far faster than any mapping."""


class Coordinates(NamedTuple):
    """The coordinates of a checkpoint; ``checkpoint_id`` is None for the latest one."""

    thread_id: str
    ns: str
    checkpoint_id: str | None

    @property
    def config(self) -> RunnableConfig:
        """The config that names this place."""
        return {
            "configurable": {
                "thread_id": self.thread_id,
                "checkpoint_ns": self.ns,
                "checkpoint_id": self.checkpoint_id,
            }
        }


def coordinates_of(config: Mapping[str, Any]) -> Coordinates:
    """Return the coordinates in ``config``; ValueError when it names no thread.

    Raises TypeError for coordinates that are no texts.
    """
    given = _configurable(config)
    thread_id = given.get("thread_id")
    if thread_id is None:
        raise ValueError(MISSING_KEYS)
    thread = thread_id if isinstance(thread_id, str) else str(thread_id)
    ns = given.get("checkpoint_ns") or ""
    if not isinstance(ns, str):
        raise TypeError(f"checkpoint_ns of a config must be a string, not {shortly(ns)}.")
    return Coordinates(thread, ns, _checkpoint_id(given))


def _configurable(config: Mapping[str, Any]) -> Mapping[str, Any]:
    given = config.get("configurable") or {}
    if not isinstance(given, MAPPINGS):
        raise TypeError(f"'configurable' of a config must be a dict, not {shortly(given)}.")
    return given


def checkpoint_coordinates(config: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return thread id, ns and checkpoint id; ValueError when one of the ids is missing."""
    thread, ns, checkpoint_id = coordinates_of(config)
    if checkpoint_id is None:
        raise ValueError(MISSING_KEYS)
    return thread, ns, checkpoint_id


def get_checkpoint_id(config: Mapping[str, Any]) -> str | None:
    """Return the checkpoint id that ``config`` names, if any."""
    return _checkpoint_id(_configurable(config))


def _checkpoint_id(given: Mapping[str, Any]) -> str | None:
    found = given.get("checkpoint_id")
    return None if not found else str(found)


def get_checkpoint_metadata(
    config: Mapping[str, Any], metadata: CheckpointMetadata
) -> CheckpointMetadata:
    """Return ``metadata`` with the scalars of the config's metadata and configurable added.

    What ``metadata`` says itself comes first; coordinates and keys in ``__`` are left out.
    """
    merged: dict[str, Any] = dict(metadata)
    for part in ("metadata", "configurable"):
        for key, value in (config.get(part) or {}).items():
            if key in merged or key in EXCLUDED_METADATA_KEYS or key.startswith("__"):
                continue
            if isinstance(value, str):
                merged[key] = value.replace("\0", "")
            elif isinstance(value, int | float):
                merged[key] = value
    return cast(CheckpointMetadata, merged)


def copy_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Return a copy of which every table may be changed; channel values are shared."""
    copied: dict[str, Any] = {
        key: value.copy() if isinstance(value, dict | list) else value
        for key, value in checkpoint.items()
    }
    seen = checkpoint.get("versions_seen", {})
    copied["versions_seen"] = {node: versions.copy() for node, versions in seen.items()}
    return cast(Checkpoint, copied)


def empty_checkpoint() -> Checkpoint:
    """Return a new checkpoint in which no channel has a value."""
    return Checkpoint(
        v=LATEST_VERSION,
        id=next_id(None),
        ts=datetime.now(UTC).isoformat(),
        channel_values={},
        channel_versions={},
        versions_seen={},
        updated_channels=None,
    )
