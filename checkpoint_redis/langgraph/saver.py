"""A checkpointer for graphs of LangGraph itself, in a Redis that needs no modules."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self, TypeVar

import redis.asyncio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from checkpoint_redis import keys
from checkpoint_redis.langgraph import finding, removing, writing
from checkpoint_redis.langgraph.finding import Talk
from checkpoint_redis.langgraph.listing import CheckpointListing
from checkpoint_redis.langgraph.writing import Depot
from checkpoint_redis.ledger import AsyncLedger, Ledger
from checkpoint_redis.servers import opening
from checkpoint_redis.servers.given import client_of, client_on_loop
from checkpoint_redis.servers.opening import StoreClient
from distgraph.effects import acarry, carry

T = TypeVar("T")
_Asked = tuple[Any, ...]


class RedisCheckpointer(BaseCheckpointSaver[str]):
    """Keeps checkpoints of LangGraph's graphs in ``redis``: a URL, or a client.

    A client is made with ``decode_responses=False``. Nothing has to be set up, and a Cluster will
    do. ``namespace``: what all keys begin with. ``ttl``: for how many seconds a thread stays after
    it was last written to; without it, for ever. ``serde``: a serializer of LangGraph's.

    The ``a...`` methods work on threads; ``AsyncRedisCheckpointer`` has them on an event loop.
    StoreUnavailable is raised when the server cannot be reached.
    """

    def __init__(
        self,
        redis: StoreClient | str,
        *,
        namespace: str = "lg",
        ttl: float | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        keys.check_namespace(namespace)
        if ttl is not None and not ttl > 0:
            raise ValueError(f"ttl must be a number of seconds greater than 0, not {ttl!r}")
        self.namespace, self.ttl = namespace, ttl
        self.client: Any = client_of(redis)
        self._ledger = Ledger(self.client)

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

    @property
    def _depot(self) -> Depot:
        ttl_ms = None if self.ttl is None else max(1, round(self.ttl * 1_000))
        return Depot(self.namespace, self.serde, ttl_ms)

    def _run(self, talk: Talk[T]) -> T:
        return carry(talk, self._ask)

    def _ask(self, asked: _Asked) -> Sequence[Any]:
        # The scan of a Cluster's nodes is none of the commands that go together.
        together = self._ledger.together
        return [self._ledger.call(asked[0])] if len(asked) == 1 else list(together(asked))

    async def _arun(self, talk: Talk[T]) -> T:
        return await asyncio.to_thread(self._run, talk)

    # --- reading ------------------------------------------------------------------------------

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self._run(finding.get_tuple(self.namespace, self.serde, config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._arun(finding.get_tuple(self.namespace, self.serde, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        listing = CheckpointListing(self.namespace, self.serde, filter, limit)
        for part in listing.parts(self._run(listing.places(config, before))):
            yield from self._run(listing.page(part))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        listing = CheckpointListing(self.namespace, self.serde, filter, limit)
        for part in listing.parts(await self._arun(listing.places(config, before))):
            for found in await self._arun(listing.page(part)):
                yield found

    # --- writing ------------------------------------------------------------------------------

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        given = config, checkpoint, metadata, new_versions
        return self._run(writing.put(self._depot, *given))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        given = config, checkpoint, metadata, new_versions
        return await self._arun(writing.put(self._depot, *given))

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        self._run(writing.put_writes(self._depot, config, writes, task_id, task_path))

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        await self._arun(writing.put_writes(self._depot, config, writes, task_id, task_path))

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002
        """Return a later version; no two are the same, so that forks keep values of their own."""
        number = 0 if current is None else int(str(current).partition(".")[0])
        return f"{number + 1:032}.{secrets.token_hex(8)}"

    # --- threads ------------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        self._run(removing.delete_thread(self.namespace, thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._arun(removing.delete_thread(self.namespace, thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        self._run(removing.delete_for_runs(self.namespace, self.serde, run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._arun(removing.delete_for_runs(self.namespace, self.serde, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        self._run(removing.copy_thread(self._depot, source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._arun(removing.copy_thread(self._depot, source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        self._run(removing.prune(self.namespace, self.serde, thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._arun(removing.prune(self.namespace, self.serde, thread_ids, strategy))


class AsyncRedisCheckpointer(RedisCheckpointer):
    """The same on an asyncio client, or a URL: the ``a...`` methods never block the event loop.

    An asyncio client belongs to one event loop. The other methods work too, on a blocking client
    with the same settings.
    """

    def __init__(self, redis: redis.asyncio.Redis | str, **options: Any) -> None:
        self.aclient: Any = client_on_loop(redis)
        twin = redis if isinstance(redis, str) else opening.twin(redis)
        super().__init__(twin, **options)
        self._async_ledger = AsyncLedger(self.aclient)

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

    async def _arun(self, talk: Talk[T]) -> T:
        return await acarry(talk, self._aask)

    async def _aask(self, asked: _Asked) -> Sequence[Any]:
        if len(asked) == 1:
            return [await self._async_ledger.call(asked[0])]
        return await self._async_ledger.together(asked)
