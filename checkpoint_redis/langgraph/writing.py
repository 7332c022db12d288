"""How checkpoints for LangGraph and writes are stored: in one round trip each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from checkpoint_redis.langgraph import names, scripts
from checkpoint_redis.langgraph.finding import Talk, config_of
from checkpoint_redis.langgraph.names import ThreadKeys
from checkpoint_redis.langgraph.records import StoredCheckpoint, StoredWrite, packed
from checkpoint_redis.langgraph.scripts import FieldToSet
from distgraph.checkpoint.base.config import checkpoint_coordinates, coordinates_of


@dataclass(frozen=True, slots=True)
class Depot:
    """Where checkpoints go; ``ttl_ms``: how long a thread stays after the last of them."""

    namespace: str
    serde: SerializerProtocol
    ttl_ms: int | None


def put(
    depot: Depot,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> Talk[RunnableConfig]:
    """Store a checkpoint, and of its values those that are new; return its config."""
    thread_id, ns, parent_id = coordinates_of(config)
    known: Mapping[str, Any] = get_checkpoint_metadata(config, metadata)
    bare = {**checkpoint, "channel_values": {}}
    typed = depot.serde.dumps_typed
    record = StoredCheckpoint(parent_id, typed(bare), typed(known))
    refs = [names.value_field(ns, *each) for each in checkpoint["channel_versions"].items()]
    name = names.checkpoint_name(ns, checkpoint["id"])
    thread = ThreadKeys(depot.namespace, thread_id)
    fields = (
        *_values(depot.serde, ns, checkpoint["channel_values"], new_versions),
        (names.REFERENCES + name, " ".join(refs).encode()),
        (names.CHECKPOINT + name, packed(record)),
    )
    run_id = known.get("run_id")
    noting = () if run_id is None else _noting(depot, str(run_id), thread_id)
    yield (*noting, scripts.store(thread, fields, ttl_ms=depot.ttl_ms))
    return config_of(thread_id, ns, checkpoint["id"])


def _noting(depot: Depot, run_id: str, thread_id: str) -> Sequence[Any]:
    return scripts.note_run(depot.namespace, run_id, thread_id, depot.ttl_ms)


def _values(
    serde: SerializerProtocol, ns: str, values: Mapping[str, Any], versions: ChannelVersions
) -> list[FieldToSet]:
    return [
        (names.value_field(ns, channel, version), packed(serde.dumps_typed(values[channel])))
        for channel, version in versions.items()
        if channel in values
    ]


def put_writes(
    depot: Depot,
    config: RunnableConfig,
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> Talk[None]:
    """Store what a task wrote: an ordinary write stays as it was, a special one is replaced."""
    thread_id, ns, checkpoint_id = checkpoint_coordinates(config)
    name = names.checkpoint_name(ns, checkpoint_id)
    given: dict[bool, list[FieldToSet]] = {True: [], False: []}
    for n, (channel, value) in enumerate(writes):
        idx = WRITES_IDX_MAP.get(channel, n)
        record = StoredWrite(task_path, task_id, idx, channel, depot.serde.dumps_typed(value))
        field = names.write_field(name, task_id, idx)
        given[idx < 0].append((field, packed(record)))
    thread = ThreadKeys(depot.namespace, thread_id)
    yield (scripts.store(thread, given[True], given[False], depot.ttl_ms),)
