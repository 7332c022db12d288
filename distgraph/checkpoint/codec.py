"""A checkpoint as what any saver stores, and back.

Names of the frontier are channels ``branch:to:<node>``, its Sends the channel ``__pregel_tasks``,
what has come in for a join is the join's channel. The metadata keys ``source``, ``step`` and
``parents`` are the checkpoint's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from distgraph.checkpoint.base.types import (
    LATEST_VERSION,
    TASKS,
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
)
from distgraph.checkpoint.base.types import Checkpoint as CheckpointDict
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.pending import BRANCH, decode_writes
from distgraph.checkpoint.records import unpack_checkpoint
from distgraph.checkpoint.upgrades import corrupt, numbered
from distgraph.core.model import START, Checkpoint, Target, ThreadState
from distgraph.core.references import reference
from distgraph.errors import CorruptRecord

JOIN = "join:"
_OWN_METADATA = ("source", "step", "parents")
Encoded = tuple[CheckpointDict, CheckpointMetadata, ChannelVersions]


def encode_checkpoint(checkpoint: Checkpoint, stored: Mapping[str, str] | None = None) -> Encoded:
    """Return what ``put`` gets: the checkpoint, its metadata and the channels to be written.

    ``stored``: the references that the saver has already (the versions of the checkpoint stored
    last). Without it, all that this checkpoint's own superstep did not write counts as stored.
    """
    control = _control_values(checkpoint)
    versions = {**checkpoint.versions, **dict.fromkeys(control, reference(checkpoint.id))}
    changed = checkpoint.changed | control.keys()
    new = changed if stored is None else {n for n, v in versions.items() if stored.get(n) != v}
    encoded = CheckpointDict(
        v=LATEST_VERSION,
        id=checkpoint.id,
        ts=checkpoint.ts,
        channel_values={**checkpoint.values, **control},
        channel_versions=versions,
        versions_seen={},
        updated_channels=sorted(changed),
        frontier=_numbered(checkpoint.frontier),
        deferred=sorted(checkpoint.deferred),
        last=list(checkpoint.last),
        authors=list(checkpoint.authors),
    )
    if checkpoint.grown:
        encoded["grown"] = dict(checkpoint.grown)
    return encoded, metadata_of(checkpoint), {name: versions[name] for name in sorted(new)}


def metadata_of(checkpoint: Checkpoint) -> CheckpointMetadata:
    """Return the metadata that ``put`` gets."""
    merged = {
        **checkpoint.metadata,
        "source": checkpoint.source,
        "step": checkpoint.step,
        "parents": dict(checkpoint.parents),
    }
    return cast(CheckpointMetadata, merged)


def _control_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the channels that hold what runs next."""
    names = (t for t in checkpoint.frontier if isinstance(t, str) and t != START)
    control: dict[str, Any] = dict.fromkeys(f"{BRANCH}{name}" for name in names)
    if sends := [target for target in checkpoint.frontier if not isinstance(target, str)]:
        control[TASKS] = sends
    for join, sources in checkpoint.arrived.items():
        control[join] = set(sources)
    return control


def _numbered(frontier: tuple[Target, ...]) -> list[str | int]:
    """Return the frontier with each Send replaced by its index among the Sends."""
    numbered: list[str | int] = []
    sends = 0
    for target in frontier:
        if isinstance(target, str):
            numbered.append(target)
        else:
            numbered.append(sends)
            sends += 1
    return numbered


def decode_checkpoint(stored: CheckpointTuple) -> Checkpoint:
    """Return the core's checkpoint; CorruptRecord when something else wrote it."""
    checkpoint, metadata = stored.checkpoint, dict(stored.metadata)
    parent = (stored.parent_config or {}).get("configurable", {}).get("checkpoint_id")
    try:
        source, step, parents = (metadata.pop(key) for key in _OWN_METADATA)
        values = checkpoint["channel_values"]
        packed = numbered(
            Kind.checkpoint,
            checkpoint["id"],
            parent,
            step,
            source,
            checkpoint["ts"],
            _state_only(checkpoint["channel_versions"]),
            _changed(checkpoint),
            {},
            [_target(item, values) for item in checkpoint["frontier"]],
            {name: sorted(came) for name, came in values.items() if name.startswith(JOIN)},
            checkpoint["deferred"],
            checkpoint["last"],
            metadata,
            parents,
            *([checkpoint["authors"]] if "authors" in checkpoint else []),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise CorruptRecord(
            f"The checkpoint {checkpoint.get('id')} was not written by distgraph, or is damaged: "
            f"{type(error).__name__}: {error}"
        ) from error
    core = unpack_checkpoint(packed, _state_only(values))
    return replace(core, grown=_grown(checkpoint)) if "grown" in checkpoint else core


def _grown(checkpoint: CheckpointDict) -> dict[str, str]:
    match checkpoint["grown"]:
        case dict() as told if all(isinstance(x, str) for pair in told.items() for x in pair):
            return dict(told)
        case other:
            raise corrupt("list of what has grown", other)


def _target(item: str | int, values: Mapping[str, Any]) -> Any:
    return values[TASKS][item] if isinstance(item, int) else item


def _changed(checkpoint: CheckpointDict) -> list[str]:
    """Return what the superstep wrote; nothing, of a tuple that does not tell."""
    told = checkpoint.get("updated_channels") or ()
    return sorted(_state_only(dict.fromkeys(told)).keys() & checkpoint["channel_versions"].keys())


def _state_only(channels: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in channels.items()
        if not name.startswith((BRANCH, JOIN)) and name != TASKS
    }


def decode(stored: CheckpointTuple) -> ThreadState:
    """Return the frame's state; CorruptRecord when something else than distgraph wrote it."""
    return decode_writes(decode_checkpoint(stored), stored.pending_writes or ())
