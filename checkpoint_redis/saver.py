"""Savers that keep threads in Redis, under the keys that workers use too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self, TypeVar

import redis
import redis.asyncio

from checkpoint_redis import keys, saving
from checkpoint_redis.known_lines import KnownLines
from checkpoint_redis.known_logs import KnownLogs
from checkpoint_redis.ledger import AsyncLedger, Ledger
from checkpoint_redis.saving import Steps
from checkpoint_redis.servers import opening
from checkpoint_redis.servers.given import client_of, client_on_loop
from checkpoint_redis.servers.opening import StoreClient
from checkpoint_redis.stored import Archive
from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    SerializerProtocol,
)
from distgraph.checkpoint.base.types import RunnableConfig
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.effects import acarry, carry

T = TypeVar("T")


@checked
class RedisSaver(BaseCheckpointSaver):
    """Keeps checkpoints in ``redis``: a URL, or a client made with ``decode_responses=False``.

    Threads of the same ``namespace`` are those of the Celery backend: a thread at rest may be
    read and continued from either side. Writing raises ThreadBusy while workers have a run open.
    ``types``: classes, besides those of a graph's state schema, that values may be made of.
    """

    def __init__(
        self,
        redis: StoreClient | str,
        *,
        namespace: str = "dg",
        serde: SerializerProtocol | None = None,
        types: Iterable[type] = (),
    ) -> None:
        super().__init__(serde=serde or JsonPlusSerializer(allowed=types))
        keys.check_namespace(namespace)
        self.namespace = namespace
        self.client: Any = client_of(redis)
        self._ledger = Ledger(self.client, namespace=namespace)
        self._known, self._noted = KnownLines(), KnownLogs()

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str, **options: Any) -> Iterator[Self]:
        """Connect to a URL such as redis://localhost:6379/0, and close it at the end.

        ``options``: those of the constructor.
        """
        saver = cls(conn_string, **options)
        try:
            yield saver
        finally:
            saver.client.close()

    def setup(self) -> None:
        """Check that the server can be reached, and that the namespace is of this version."""
        self._ledger.check()

    @property
    def _archive(self) -> Archive:
        return Archive(self.namespace, self.serde, self._known, self._noted)

    def _run(self, steps: Steps[T]) -> T:
        return carry(steps, self._ledger.call)

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        return self._run(saving.get_tuple(self._archive, config))

    def list(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> Iterator[CheckpointTuple]:
        left = limit
        shown = self._run(saving.shown_before(self._archive, config, before))
        page = self._run(saving.places(self._archive, config, before))
        while True:
            for place in page.found:
                if left is not None and left <= 0:
                    return
                found = self._run(saving.get_found(self._archive, place, filter, shown))
                if found is not None:
                    left = None if left is None else left - 1
                    yield found
            if page.following is None:
                return
            page = self._run(saving.places(self._archive, config, page.following))

    def put(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        given = config, checkpoint, metadata, new_versions
        return self._run(saving.put(self._archive, *given))

    def put_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        given = config, writes, task_id, task_path
        self._run(saving.put_writes(self._archive, *given))

    def delete_thread(self, thread_id: str) -> None:
        self._run(saving.delete_thread(self._archive, thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        self._run(saving.delete_for_runs(self._archive, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        given = source_thread_id, target_thread_id
        self._run(saving.copy_thread(self._archive, *given))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        for steps in _pruning(self._archive, thread_ids, strategy):
            self._run(steps)


@checked
class AsyncRedisSaver(RedisSaver):
    """The same on an asyncio client, or a URL: the ``a...`` methods never block the event loop.

    An asyncio client belongs to one event loop. The other methods work too, on a blocking client
    with the same settings.
    """

    def __init__(
        self,
        redis: redis.asyncio.Redis | str,
        *,
        namespace: str = "dg",
        serde: SerializerProtocol | None = None,
        types: Iterable[type] = (),
    ) -> None:
        aclient = client_on_loop(redis)
        twin = redis if isinstance(redis, str) else opening.twin(redis)
        super().__init__(twin, namespace=namespace, serde=serde, types=types)
        self.aclient: Any = aclient
        self._async_ledger = AsyncLedger(aclient, namespace=namespace)

    @classmethod
    @asynccontextmanager
    async def from_conn_string(  # type: ignore[override]
        cls, conn_string: str, **options: Any
    ) -> AsyncIterator[Self]:
        """Connect to a URL such as redis://localhost:6379/0, and close it at the end."""
        saver = cls(conn_string, **options)
        try:
            yield saver
        finally:
            saver.client.close()
            await saver.aclient.aclose()

    async def asetup(self) -> None:
        """Check what ``setup`` checks."""
        await self._async_ledger.check()

    async def _arun(self, steps: Steps[T]) -> T:
        return await acarry(steps, self._async_ledger.call)

    async def aget_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        return await self._arun(saving.get_tuple(self._archive, config))

    async def alist(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        left = limit
        shown = await self._arun(saving.shown_before(self._archive, config, before))
        page = await self._arun(saving.places(self._archive, config, before))
        while True:
            for place in page.found:
                if left is not None and left <= 0:
                    return
                steps = saving.get_found(self._archive, place, filter, shown)
                found = await self._arun(steps)
                if found is not None:
                    left = None if left is None else left - 1
                    yield found
            if page.following is None:
                return
            page = await self._arun(saving.places(self._archive, config, page.following))

    async def aput(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        given = config, checkpoint, metadata, new_versions
        return await self._arun(saving.put(self._archive, *given))

    async def aput_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        given = config, writes, task_id, task_path
        await self._arun(saving.put_writes(self._archive, *given))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._arun(saving.delete_thread(self._archive, thread_id))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._arun(saving.delete_for_runs(self._archive, run_ids))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        given = source_thread_id, target_thread_id
        await self._arun(saving.copy_thread(self._archive, *given))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        for steps in _pruning(self._archive, thread_ids, strategy):
            await self._arun(steps)


def _pruning(archive: Archive, thread_ids: Sequence[str], strategy: str) -> Iterator[Steps[None]]:
    if strategy not in ("keep_latest", "delete"):
        raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
    for thread_id in thread_ids:
        if strategy == "delete":
            yield saving.delete_thread(archive, thread_id)
        else:
            yield saving.prune(archive, thread_id)
