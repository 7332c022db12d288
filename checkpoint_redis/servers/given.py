"""The clients that a caller gives, as a URL or made; both have to give bytes back."""

from __future__ import annotations

from typing import Any

import redis.asyncio

from checkpoint_redis.servers import opening
from checkpoint_redis.servers.opening import AsyncStoreClient, StoreClient
from checkpoint_redis.servers.url import store_of


def client_of(given: StoreClient | str) -> StoreClient:
    """Return a blocking client; ValueError for one that decodes replies, or for a bad URL."""
    client = opening.blocking(store_of(given)) if isinstance(given, str) else given
    _refuse_decoding(client)
    return client


def client_on_loop(given: redis.asyncio.Redis | str) -> AsyncStoreClient:
    """Do what ``client_of`` does for the running loop."""
    client = opening.on_loop(store_of(given)) if isinstance(given, str) else given
    _refuse_decoding(client)
    return client


def _refuse_decoding(client: Any) -> None:
    pool = getattr(client, "connection_pool", None)
    if pool is not None and pool.connection_kwargs.get("decode_responses"):
        raise ValueError("The client decodes replies: make it with decode_responses=False.")
