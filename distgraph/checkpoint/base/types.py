"""The shapes that go in and out of a saver, and the reserved channels of pending writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypedDict

from distgraph.checkpoint.serde import types as reserved

ERROR = reserved.ERROR
SCHEDULED = reserved.SCHEDULED
INTERRUPT = reserved.INTERRUPT
RESUME = reserved.RESUME
TASKS = reserved.TASKS
ERROR_SOURCE = "__error_source_node__"
NO_WRITES = "__no_writes__"
RESULT = "__result__"
ANSWERED = "__answered__"
CALLER_WRITES = "__caller_writes__"
RELEASED = "__released__"
DEADLINES = "__deadlines__"
GAPS = "__gaps__"
"""Marks what stands in ``__resume__`` for answers that are no list in LangGraph's sense."""

WRITES_IDX_MAP: Mapping[str, int] = {
    ERROR: -1,
    SCHEDULED: -2,
    INTERRUPT: -3,
    RESUME: -4,
    RESULT: -5,
    ANSWERED: -6,
    CALLER_WRITES: -8,
    RELEASED: -9,
    ERROR_SOURCE: -10,
    DEADLINES: -11,
}
"""Channels with a fixed index among a task's pending writes: a later write replaces an earlier."""

LATEST_VERSION = 4
EXCLUDED_METADATA_KEYS = frozenset(
    {
        "thread_id",
        "checkpoint_id",
        "checkpoint_ns",
        "checkpoint_map",
        "langgraph_step",
        "langgraph_node",
        "langgraph_triggers",
        "langgraph_path",
        "langgraph_checkpoint_ns",
    }
)

RunnableConfig = dict[str, Any]
ChannelVersions = dict[str, Any]
PendingWrite = tuple[str, str, Any]
"""Task id, channel, value."""


class Checkpoint(TypedDict, total=False):
    """The state of a thread as a saver gets it.

    ``frontier`` (node names, and indexes into the Sends of ``__pregel_tasks``), ``deferred``,
    ``last``, ``authors`` and ``grown`` are distgraph's own; a saver keeps every key but
    ``channel_values`` as it is. ``grown``: of the channels that were written those lists which go
    on from an older value, with its version; a saver may store what is new of them alone.
    """

    v: int
    id: str
    ts: str
    channel_values: dict[str, Any]
    channel_versions: ChannelVersions
    versions_seen: dict[str, ChannelVersions]
    updated_channels: list[str] | None
    frontier: list[str | int]
    deferred: list[str]
    last: list[str]
    authors: list[str]
    grown: dict[str, str]


class CheckpointMetadata(TypedDict, total=False):
    """What is known about a checkpoint besides the state; scalars of the config come on top.

    ``step``: -1 for the first input. ``parents``: ns -> checkpoint id of the enclosing graphs.
    """

    source: Literal["input", "loop", "update", "fork"]
    step: int
    parents: dict[str, str]
    run_id: str


class CheckpointTuple(NamedTuple):
    """A stored checkpoint with where it is, what it came from, and the writes made from it."""

    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    parent_config: RunnableConfig | None = None
    pending_writes: list[PendingWrite] | None = None
