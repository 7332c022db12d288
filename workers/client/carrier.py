"""Carries flows: in the calling thread, or on the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from redis import exceptions

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.ledger import AsyncLedger, Ledger
from distgraph.effects import Tell, acarry, atold, carry, told
from distgraph.events import Event
from distgraph.runners.here import run_here, run_here_async
from workers.client.effects import Effect, Flow, Here, Publish, Reach, Read, Wait
from workers.shared.clients import Clients
from workers.shared.hints import Outgoing

_LOST = (exceptions.ConnectionError, exceptions.TimeoutError)
_TELLS = "This flow tells events: whoever carries it must listen."


class Publisher(Protocol):
    """What a flow needs of the broker."""

    def reach(self) -> None:
        """Raise BrokerUnavailable unless the broker answers."""
        ...

    def publish(self, messages: tuple[Outgoing, ...]) -> None:
        """Send messages."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a blocking flow is carried with; ``waiting`` is a client without a read timeout."""

    ledger: Ledger
    waiting: Any
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class AsyncMeans:
    """What an asyncio flow is carried with."""

    ledger: AsyncLedger
    waiting: Any
    publisher: Publisher


class Carrier:
    """Carries the flows of one backend with the clients of whoever asks."""

    def __init__(self, clients: Clients, publisher: Publisher) -> None:
        self._clients, self._publisher = clients, publisher

    @property
    def ledger(self) -> Ledger:
        """The store's commands, as a caller uses them."""
        return self._clients.ledger()

    def perform(self, flow: Flow) -> Any:
        """Carry a flow that tells nothing; return its result."""
        return carry(flow, partial(perform, self._means()))

    async def aperform(self, flow: Flow) -> Any:
        """Do what ``perform`` does on the running loop."""
        return await acarry(flow, partial(aperform, self._async_means()))

    def follow(self, flow: Flow) -> Iterator[Event]:
        """Carry ``flow`` and pass on what it tells."""
        return told(flow, partial(perform, self._means()))

    def afollow(self, flow: Flow) -> AsyncIterator[Event]:
        """Do what ``follow`` does on the running loop."""
        return atold(flow, partial(aperform, self._async_means()))

    def _means(self) -> Means:
        return Means(self._clients.ledger(), self._clients.waiting(), self._publisher)

    def _async_means(self) -> AsyncMeans:
        return AsyncMeans(*self._clients.on_loop(), self._publisher)


def perform(means: Means, effect: Effect) -> Any:
    """Return the answer to ``effect``."""
    match effect:
        case Publish(messages):
            means.publisher.publish(messages)
        case Reach():
            means.publisher.reach()
        case Here(job, request):
            return run_here(job, request)
        case Read(key, after, block_ms):
            with suppress(*_LOST):
                return _entries(means.waiting.xread({key: after}, count=1000, block=block_ms))
            return []
        case Wait(seconds):
            time.sleep(seconds)
        case Script() | Plain():
            return means.ledger.call(effect)
        case Tell():
            raise TypeError(_TELLS)
    return None


async def aperform(means: AsyncMeans, effect: Effect) -> Any:
    """Return the answer to ``effect``."""
    match effect:
        case Publish(messages):
            await asyncio.to_thread(means.publisher.publish, messages)
        case Reach():
            await asyncio.to_thread(means.publisher.reach)
        case Here(job, request):
            return await run_here_async(job, request)
        case Read(key, after, block_ms):
            with suppress(*_LOST):
                entries = await means.waiting.xread({key: after}, count=1000, block=block_ms)
                return _entries(entries)
            return []
        case Wait(seconds):
            await asyncio.sleep(seconds)
        case Script() | Plain():
            return await means.ledger.call(effect)
        case Tell():
            raise TypeError(_TELLS)
    return None


def _entries(reply: Any) -> list[Any]:
    """Return the entries in a reply of XREAD, which redis-py shapes in two ways."""
    if not reply:
        return []
    found = next(iter(reply.values())) if isinstance(reply, dict) else reply[0][1]
    return list(found[0]) if found and isinstance(found[0], list) else list(found)
