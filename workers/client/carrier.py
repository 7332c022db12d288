"""Carries flows: in the calling thread, or on the running event loop."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from redis import exceptions

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.ledger import AsyncLedger, Ledger, heeding_cancellation
from distgraph.effects import Tell, acarry, atold, carry, told
from distgraph.events import Event
from distgraph.runners.here import run_here, run_here_async
from workers.client.awaiting import awaited
from workers.client.effects import (
    AwaitEnd,
    Bell,
    Effect,
    Flow,
    Here,
    Publish,
    Reach,
    Read,
    Rest,
    Wait,
)
from workers.client.ends import Ends
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
    ends: Ends


@dataclass(frozen=True, slots=True)
class AsyncMeans:
    """What an asyncio flow is carried with."""

    ledger: AsyncLedger
    waiting: Any
    publisher: Publisher
    ends: Ends


class Carrier:
    """Carries the flows of one backend with the clients of whoever asks."""

    def __init__(self, namespace: str, clients: Clients, publisher: Publisher) -> None:
        self._namespace, self._clients, self._publisher = namespace, clients, publisher
        # By the client that reads them: each process and each loop has one of its own.
        self._ends: weakref.WeakKeyDictionary[Any, Ends] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

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
        waiting = self._clients.waiting()
        ends = self._ends_of(waiting, threading.Event)
        return Means(self._clients.ledger(), waiting, self._publisher, ends)

    def _async_means(self) -> AsyncMeans:
        ledger, waiting = self._clients.on_loop()
        ends = self._ends_of(waiting, asyncio.Event)
        return AsyncMeans(ledger, waiting, self._publisher, ends)

    def _ends_of(self, waiting: Any, make_bell: Callable[[], Bell]) -> Ends:
        with self._lock:
            if waiting not in self._ends:
                self._ends[waiting] = Ends(self._namespace, make_bell)
            return self._ends[waiting]


def perform(means: Means, effect: Effect) -> Any:
    """Return the answer to ``effect``."""
    match effect:
        case Publish(messages):
            means.publisher.publish(messages)
        case Reach():
            means.publisher.reach()
        case Here(job, request):
            return run_here(job, request)
        case Read(after, block_ms, count):
            with suppress(*_LOST):
                return _found(means.waiting.xread(dict(after), count=count, block=block_ms))
        case AwaitEnd():
            carry(awaited(means.ends, effect), partial(perform, means))
        case Rest(bell, seconds):
            bell.wait(seconds)
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
        case Read(after, block_ms, count):
            with suppress(*_LOST):
                reply = means.waiting.xread(dict(after), count=count, block=block_ms)
                return _found(await heeding_cancellation(reply))
        case AwaitEnd():
            await acarry(awaited(means.ends, effect), partial(aperform, means))
        case Rest(bell, seconds):
            with suppress(TimeoutError):
                # Not wait_for: of a cancellation and a bell at once it would lose the former.
                async with asyncio.timeout(seconds):
                    await bell.wait()
        case Wait(seconds):
            await asyncio.sleep(seconds)
        case Script() | Plain():
            return await means.ledger.call(effect)
        case Tell():
            raise TypeError(_TELLS)
    return None


def _found(reply: Any) -> dict[str, list[Any]]:
    """Return the entries of each stream in a reply of XREAD, which redis-py shapes in two ways."""
    streams = reply.items() if isinstance(reply, dict) else reply or ()
    return {key.decode(): _entries(found) for key, found in streams}


def _entries(found: Any) -> list[Any]:
    return list(found[0]) if found and isinstance(found[0], list) else list(found)
