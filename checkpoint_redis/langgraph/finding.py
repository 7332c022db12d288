"""How checkpoints for LangGraph are read: conversations that yield commands, and get the replies.

A tuple of commands goes out in one round trip.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointTuple
from langgraph.checkpoint.serde.base import SerializerProtocol

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.langgraph import names, scripts
from checkpoint_redis.langgraph.names import ThreadKeys
from checkpoint_redis.langgraph.records import CheckpointFound
from distgraph.checkpoint.base.config import coordinates_of

T = TypeVar("T")
Talk = Generator[tuple[Script[Any] | Plain[Any], ...], Sequence[Any], T]


def get_tuple(
    namespace: str, serde: SerializerProtocol, config: Mapping[str, Any]
) -> Talk[CheckpointTuple | None]:
    """Read the checkpoint that ``config`` names, or the latest; None where there is none."""
    thread_id, ns, checkpoint_id = coordinates_of(config)
    thread = ThreadKeys(namespace, thread_id)
    [found] = yield (scripts.find(thread, [names.checkpoint_name(ns, checkpoint_id)]),)
    return tuple_of(serde, thread_id, found[0]) if found else None


def tuple_of(serde: SerializerProtocol, thread_id: str, found: CheckpointFound) -> CheckpointTuple:
    """Return what was found as LangGraph has it."""
    stored = found.stored
    checkpoint: Checkpoint = serde.loads_typed(stored.checkpoint)
    values = {name: serde.loads_typed(each) for name, each in found.values.items()}
    parent = stored.parent_id
    return CheckpointTuple(
        config_of(thread_id, found.ns, found.checkpoint_id),
        {**checkpoint, "channel_values": values},
        serde.loads_typed(stored.metadata),
        config_of(thread_id, found.ns, parent) if parent else None,
        [(each.task_id, each.channel, serde.loads_typed(each.value)) for each in found.writes],
    )


def config_of(thread_id: str, ns: str, checkpoint_id: str) -> RunnableConfig:
    """Return the config of a checkpoint."""
    where = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return {"configurable": where}
