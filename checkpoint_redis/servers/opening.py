"""Clients for what a URL says: blocking ones and those of an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis
import redis.asyncio
from redis.asyncio import sentinel as async_sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from checkpoint_redis.servers import options
from checkpoint_redis.servers.cluster import AsyncClusterClient, ClusterClient
from checkpoint_redis.servers.connections import DirectClient, Pool, SentinelPool
from checkpoint_redis.servers.url import RedisUrl, ServerKind

_SOCKET = frozenset(name for name in options.SHARED if name.startswith("socket_"))


StoreClient = redis.Redis | ClusterClient
AsyncStoreClient = redis.asyncio.Redis | AsyncClusterClient


class AsyncSentinelPool(
    async_sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool
):
    """Hands out connections to a master in turn; who comes when all are in use waits."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Close connections; those to the Sentinels, too, unless some are in use."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for each in self.sentinel_manager.sentinels:
                await each.aclose()


def blocking(url: RedisUrl, **over: Any) -> StoreClient:
    """Return a client; ``over``: options that count instead of those of ``url``."""
    how = {**_options(url), **over}
    match url.kind:
        case ServerKind.cluster:
            return ClusterClient(url.address, url.nodes, **_of_cluster(url, how))
        case ServerKind.sentinel:
            asking = _asking(url, how, Retry)
            asked = Sentinel(url.nodes, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
            kind: Any = SentinelManagedSSLConnection if url.tls else SentinelManagedConnection
            pool: Any = SentinelPool(url.master, asked, connection_class=kind, **how)  # type: ignore[no-untyped-call]
            return DirectClient.from_pool(pool)
        case ServerKind.socket:
            kind = redis.UnixDomainSocketConnection
        case _:
            kind = redis.SSLConnection if url.tls else redis.Connection
    return DirectClient.from_pool(Pool(connection_class=kind, **how))


def on_loop(url: RedisUrl, **over: Any) -> AsyncStoreClient:
    """Do what ``blocking`` does for the running loop."""
    how = {"timeout": None, **_options(url), **over}
    match url.kind:
        case ServerKind.cluster:
            return AsyncClusterClient(url.address, url.nodes, **_of_cluster(url, how))
        case ServerKind.sentinel:
            asking = _asking(url, how, redis.asyncio.retry.Retry)
            asked = async_sentinel.Sentinel(url.nodes, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
            kind: Any = async_sentinel.SentinelManagedConnection
            if url.tls:
                kind = async_sentinel.SentinelManagedSSLConnection
            pool: Any = AsyncSentinelPool(url.master, asked, connection_class=kind, **how)  # type: ignore[no-untyped-call]
            return redis.asyncio.Redis.from_pool(pool)
        case ServerKind.socket:
            kind = redis.asyncio.UnixDomainSocketConnection
        case _:
            kind = redis.asyncio.SSLConnection if url.tls else redis.asyncio.Connection
    pool = redis.asyncio.BlockingConnectionPool(connection_class=kind, **how)
    return redis.asyncio.Redis.from_pool(pool)


def twin(client: redis.asyncio.Redis) -> StoreClient:
    """Return a blocking client that connects to the same place in the same way."""
    pool: Any = client.connection_pool
    known = pool.connection_kwargs
    secure = {name: value for name, value in known.items() if name.startswith("ssl_")}
    protocol = {"protocol": known["protocol"]} if known.get("protocol") else {}
    return blocking(_seen(pool), **secure, **protocol)


def _seen(pool: Any) -> RedisUrl:
    """Return where a pool of asyncio's connects to."""
    known, kind = pool.connection_kwargs, ServerKind.single
    nodes: tuple[tuple[str, int], ...] = (
        (known.get("host", "localhost"), known.get("port", 6379)),
    )
    if isinstance(pool, async_sentinel.SentinelConnectionPool):
        kind = ServerKind.sentinel
        asked = (each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels)
        nodes = tuple((each["host"], each["port"]) for each in asked)
    elif issubclass(pool.connection_class, redis.asyncio.UnixDomainSocketConnection):
        kind = ServerKind.socket
    return RedisUrl(
        kind=kind,
        tls=issubclass(pool.connection_class, redis.asyncio.SSLConnection),
        nodes=nodes,
        path=known.get("path", ""),
        master=getattr(pool, "service_name", ""),
        db=known.get("db") or 0,
        username=known.get("username"),
        password=known.get("password"),
    )


def servers(client: StoreClient) -> list[redis.Redis]:
    """Return a client of each server that keys are kept in."""
    return client.nodes() if isinstance(client, ClusterClient) else [client]


def _options(url: RedisUrl) -> dict[str, Any]:
    """Return what connections and their pool are made with."""
    tables = options.SHARED, options.TCP, options.STORE, options.TLS
    where: dict[str, Any] = {"db": url.db, "username": url.username, "password": url.password}
    match url.kind:
        case ServerKind.single:
            where["host"], where["port"] = url.nodes[0]
        case ServerKind.socket:
            where["path"] = url.path
        case ServerKind.sentinel | ServerKind.cluster:
            pass
    return {**where, **url.given(*tables)}


def _of_cluster(url: RedisUrl, how: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that redis-py's clients of a Cluster take."""
    known = {name: how[name] for name in options.CLUSTER & how.keys() if name != "db"}
    return {**known, "ssl": url.tls}


def _asking(url: RedisUrl, how: Mapping[str, Any], retry: type) -> dict[str, Any]:
    """Return what the connections to Sentinels are made with: of several that are asked in turn."""
    login = {
        name.removeprefix("sentinel_"): value for name, value in url.given(options.SENTINEL).items()
    }
    sockets = {name: how[name] for name in _SOCKET & how.keys()}
    tls = {"ssl": True, **url.given(options.TLS)} if url.tls else {}
    return {**sockets, **tls, **login, "retry": retry(NoBackoff(), 0)}
