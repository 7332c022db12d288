"""What streams yield, for type checkers: payloads of their modes, and the parts of version "v2".

Programs import them from ``distgraph.types``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Literal, NotRequired

from typing_extensions import TypedDict

from distgraph.typing import StateT


class TaskPayload(TypedDict):
    """A task that begins; ``metadata`` is its node's."""

    id: str
    name: str
    input: Any
    triggers: Sequence[str]
    metadata: NotRequired[dict[str, Any]]


class TaskResultPayload(TypedDict):
    """A task that has ended; ``error``: the exception, or its text where another process tells.

    ``interrupts`` are dicts of ``value`` and ``id``.
    """

    id: str
    name: str
    error: BaseException | str | None
    interrupts: list[dict[str, Any]]
    result: Any


class CheckpointTask(TypedDict):
    """A task of a checkpoint: ``state`` is the config of the graph inside it, if there is one."""

    id: str
    name: str
    state: dict[str, Any] | None
    error: NotRequired[str]
    interrupts: NotRequired[tuple[dict[str, Any], ...]]
    result: NotRequired[Any]


class CheckpointPayload(TypedDict, Generic[StateT]):
    """A checkpoint as streams show it; ``next`` are the nodes that run from there."""

    config: dict[str, Any]
    parent_config: dict[str, Any] | None
    values: StateT
    metadata: dict[str, Any]
    next: list[str]
    tasks: list[CheckpointTask]


class DebugPayload(TypedDict):
    """What the debug mode yields; ``payload`` is that of the modes checkpoints or tasks."""

    step: int
    timestamp: str
    type: Literal["checkpoint", "task", "task_result"]
    payload: CheckpointPayload[Any] | TaskPayload | TaskResultPayload


class UpdatesStreamPart(TypedDict):
    """What a task returned, by the name of its node."""

    type: Literal["updates"]
    ns: tuple[str, ...]
    data: dict[str, Any]


class MessagesStreamPart(TypedDict):
    """A message, or a piece of one, and where it comes from."""

    type: Literal["messages"]
    ns: tuple[str, ...]
    data: tuple[Any, dict[str, Any]]


class CustomStreamPart(TypedDict):
    """What a node wrote."""

    type: Literal["custom"]
    ns: tuple[str, ...]
    data: Any


class CheckpointStreamPart(TypedDict, Generic[StateT]):
    """A checkpoint that was stored."""

    type: Literal["checkpoints"]
    ns: tuple[str, ...]
    data: CheckpointPayload[StateT]


class TasksStreamPart(TypedDict):
    """A task that begins, or has ended."""

    type: Literal["tasks"]
    ns: tuple[str, ...]
    data: TaskPayload | TaskResultPayload


class DebugStreamPart(TypedDict):
    """A checkpoint, or a task that begins or has ended, with its step and the time."""

    type: Literal["debug"]
    ns: tuple[str, ...]
    data: DebugPayload
