"""The contract of a saver: where the checkpoints of threads are kept."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, Self, TypeVar

from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph.checkpoint.base.types import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    RunnableConfig,
)
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

P = ParamSpec("P")
T = TypeVar("T")


@checked
class BaseCheckpointSaver:
    """Base of all savers; each ``a...`` twin calls the blocking method in a thread.

    A subclass implements at least ``get_tuple``, ``list``, ``put`` and ``put_writes``.
    A config names a place by its ``configurable`` keys ``thread_id``, ``checkpoint_ns`` ('' for
    the root graph) and ``checkpoint_id``. Methods raise ValueError when a key they need is
    missing, and SerializationError, with nothing stored, for a value that cannot be stored.
    """

    serde: SerializerProtocol

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        self.serde = JsonPlusSerializer() if serde is None else serde

    @property
    def config_specs(self) -> list[Any]:
        """Further configurable fields that the saver reads: none."""
        return []

    def with_allowlist(self, types: Iterable[type]) -> Self:
        """Return a saver over the same storage that may decode these classes too."""
        allow = getattr(self.serde, "allow", None)
        if allow is None:  # of somebody else's
            return self
        other = copy.copy(self)
        other.serde = allow(*types)
        return other

    def get_next_version(self, current: Any, channel: None = None) -> Any:  # noqa: ARG002
        """Return the version of a channel after ``current``; None stands before the first."""
        if isinstance(current, str):
            raise NotImplementedError("versions that are text need a saver that counts them")
        return 1 if current is None else current + 1

    # --- reading ------------------------------------------------------------------------------

    def get(self, config: Mapping[str, Any]) -> Checkpoint | None:
        """Return the checkpoint at ``config`` alone."""
        found = self.get_tuple(config)
        return found.checkpoint if found else None

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        """Return the checkpoint that ``config`` names, else the thread's latest, else None."""
        raise NotImplementedError

    def list(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first.

        ``config`` None: of all threads; without ``checkpoint_ns``: of all namespaces. ``filter``:
        metadata entries that must be equal. ``before``: only those older than the checkpoint that
        it names. ``limit``: at most so many; ValueError below 0.
        """
        raise NotImplementedError

    # --- writing ------------------------------------------------------------------------------

    def put(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store ``checkpoint`` as a child of the one that ``config`` names; return its config.

        Only the channels in ``new_versions`` are written; of all others, the version that the
        checkpoint names is stored already.
        """
        raise NotImplementedError

    def put_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task of the superstep that runs from the checkpoint at ``config`` left.

        A write to a channel of ``WRITES_IDX_MAP`` replaces the task's earlier one; any other is
        kept as it was when the task's write of the same position is stored already.
        """
        raise NotImplementedError

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything that is stored of a thread."""
        raise NotImplementedError

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, in all threads."""
        raise NotImplementedError

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history and whatever waits in it.

        Raises ThreadNotFound without a source, ValueError when the target has checkpoints already.
        """
        raise NotImplementedError

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep only the latest checkpoint of each namespace; ``strategy="delete"`` keeps none.

        Where the parent's checkpoint goes that a graph was called from, the called one goes too.
        """
        raise NotImplementedError

    # --- the same for asyncio -----------------------------------------------------------------

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        from asyncio import to_thread  # noqa: PLC0415 only where there is a loop

        return await to_thread(call, *args, **kwargs)

    async def aget(self, config: Mapping[str, Any]) -> Checkpoint | None:
        found = await self.aget_tuple(config)
        return found.checkpoint if found else None

    async def aget_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        return await self._in_thread(self.get_tuple, config)

    async def alist(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        def found() -> tuple[CheckpointTuple, ...]:
            return tuple(self.list(config, filter=filter, before=before, limit=limit))

        for each in await self._in_thread(found):
            yield each

    async def aput(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return await self._in_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        await self._in_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        await self._in_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._in_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._in_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._in_thread(self.prune, thread_ids, strategy=strategy)
