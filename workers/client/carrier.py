"""Carries flows: in the calling thread, or on the running event loop."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from redis import exceptions

from checkpoint_redis import keys
from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.events import Entry
from checkpoint_redis.ledger import (
    AsyncLedger,
    Ledger,
    heeding_cancellation,
    passes,
    refused,
)
from distgraph.effects import Tell, acarry, atold, carry, told
from distgraph.events import Event
from distgraph.runners.here import run_here, run_here_async

from ..shared.clients import BEYOND_ANY_BLOCK, Clients
from ..shared.dispatched import Dispatched
from ..shared.hints import Outgoing
from .awaiting import awaited, listen, listened
from .bell import Bell
from .effects import (
    Awaited,
    AwaitEnd,
    AwaitEvents,
    Effect,
    Flow,
    Here,
    HintsOut,
    Listen,
    Over,
    Publish,
    Reach,
    Read,
    Rest,
    Together,
    Wait,
)
from .reader import Reader

T = TypeVar("T")
ROOT = ""
_TELLS = "This flow tells events: whoever carries it must listen."


class Publisher(Protocol):
    """What a flow needs of the broker."""

    def reach(self, *, ask: bool = True) -> None:
        """Raise BrokerUnavailable unless the broker answers; ``ask`` one that did before, too."""
        ...

    def publish(self, messages: tuple[Outgoing, ...]) -> bool:
        """Send messages; False when they are left to the sweeper."""
        ...


@dataclass(frozen=True, slots=True)
class Messenger:
    """What tells workers of jobs; ``apart``: it is another server than the store.

    Each flow reads the store before it asks for the broker, so one that is not apart has answered.
    """

    publisher: Publisher
    dispatched: Dispatched
    apart: bool

    def reach(self) -> None:
        """Raise BrokerUnavailable when there is no broker."""
        self.publisher.reach(ask=self.apart)


@dataclass(frozen=True, slots=True)
class Means:
    """What a blocking flow is carried with; ``waiting`` is a client without a read timeout."""

    ledger: Ledger
    waiting: Any
    messenger: Messenger
    reader: Reader


@dataclass(frozen=True, slots=True)
class AsyncMeans:
    """What an asyncio flow is carried with."""

    ledger: AsyncLedger
    waiting: Any
    messenger: Messenger
    reader: Reader


class Carrier:
    """Carries the flows of one backend with the clients of whoever asks."""

    def __init__(self, namespace: str, clients: Clients, messenger: Messenger) -> None:
        self._namespace, self._clients, self._messenger = namespace, clients, messenger
        # By the client that reads them: each process and each loop has one of its own.
        self._readers: weakref.WeakKeyDictionary[Any, Reader] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def ledger(self) -> Ledger:
        """The store's commands, as a caller uses them."""
        return self._clients.ledger()

    def perform(self, flow: Generator[Effect, Any, T]) -> T:
        """Carry a flow that tells nothing; return its result."""
        return carry(flow, partial(perform, self._means()))

    async def aperform(self, flow: Generator[Effect, Any, T]) -> T:
        """Do what ``perform`` does on the running loop."""
        return await acarry(flow, partial(aperform, self._async_means()))

    def follow(self, flow: Flow) -> Generator[Event, None, None]:
        """Carry ``flow`` and pass on what it tells."""
        return told(flow, partial(perform, self._means()))

    def afollow(self, flow: Flow) -> AsyncGenerator[Event, None]:
        """Do what ``follow`` does on the running loop."""
        return atold(flow, partial(aperform, self._async_means()))

    def _means(self) -> Means:
        waiting = self._clients.waiting()
        reader = self._reader(waiting, threading.Event)
        return Means(self._clients.ledger(), waiting, self._messenger, reader)

    def _async_means(self) -> AsyncMeans:
        ledger, waiting = self._clients.on_loop()
        reader = self._reader(waiting, asyncio.Event)
        return AsyncMeans(ledger, waiting, self._messenger, reader)

    def _reader(self, waiting: Any, make_bell: Callable[[], Bell]) -> Reader:
        with self._lock:
            if waiting not in self._readers:
                wake = keys.wake(self._namespace, uuid.uuid4().hex)
                self._readers[waiting] = Reader(self._namespace, wake, make_bell)
            return self._readers[waiting]


def perform(means: Means, effect: Effect) -> Any:
    """Return the answer to ``effect``."""
    match effect:
        case Script() | Plain():
            return means.ledger.call(effect)
        case Publish(messages):
            return means.messenger.publisher.publish(messages)
        case Reach():
            means.messenger.reach()
        case HintsOut(thread, ep):
            means.messenger.dispatched.note(thread, ROOT, ep)
        case Over(thread):
            means.messenger.dispatched.forget(thread)
        case Here(job, request):
            return run_here(job, request)
        case Read() | AwaitEnd() | Listen() | AwaitEvents() | Rest() | Wait():
            return _wait(means, effect)
        case Together(commands):
            return tuple(means.ledger.together(commands))
        case Tell():
            raise TypeError(_TELLS)
    return None


async def aperform(means: AsyncMeans, effect: Effect) -> Any:
    """Return the answer to ``effect``."""
    match effect:
        case Script() | Plain():
            return await means.ledger.call(effect)
        case Publish(messages):
            return await asyncio.to_thread(means.messenger.publisher.publish, messages)
        case Reach():
            await asyncio.to_thread(means.messenger.reach)
        case HintsOut(thread, ep):
            means.messenger.dispatched.note(thread, ROOT, ep)
        case Over(thread):
            means.messenger.dispatched.forget(thread)
        case Here(job, request):
            return await run_here_async(job, request)
        case Read() | AwaitEnd() | Listen() | AwaitEvents() | Rest() | Wait():
            return await _await(means, effect)
        case Together(commands):
            return await means.ledger.together(commands)
        case Tell():
            raise TypeError(_TELLS)
    return None


def _wait(means: Means, effect: Awaited) -> Any:
    match effect:
        case Read(after, block_ms, count):
            with _seen_as_lost(means.waiting):
                return _found(means.waiting.execute_command(*_xread(after, block_ms, count)))
        case AwaitEnd():
            carry(awaited(means.reader, effect), partial(perform, means))
        case Listen(of):
            return listen(means.reader, of)
        case AwaitEvents():
            return carry(listened(means.reader, effect), partial(perform, means))
        case Rest(bell, seconds):
            bell.wait(seconds)
        case Wait(seconds):
            time.sleep(seconds)
    return None


async def _await(means: AsyncMeans, effect: Awaited) -> Any:
    match effect:
        case Read(after, block_ms, count):
            with _seen_as_lost(means.waiting):
                async with asyncio.timeout(BEYOND_ANY_BLOCK):
                    read = means.waiting.execute_command(*_xread(after, block_ms, count))
                    return _found(await heeding_cancellation(read))
        case AwaitEnd():
            await acarry(awaited(means.reader, effect), partial(aperform, means))
        case Listen(of):
            return listen(means.reader, of)
        case AwaitEvents():
            return await acarry(listened(means.reader, effect), partial(aperform, means))
        case Rest(bell, seconds):
            with suppress(TimeoutError):
                # Not wait_for: of a cancellation and a bell at once it would lose the former.
                async with asyncio.timeout(seconds):
                    await bell.wait()
        case Wait(seconds):
            await asyncio.sleep(seconds)
    return None


@contextmanager
def _seen_as_lost(client: Any) -> Iterator[None]:
    """Let a read that met what will pass have no answer; StoreError when Redis refuses it."""
    try:
        yield
    except TimeoutError:
        return
    except exceptions.RedisError as error:
        if not passes(error):
            raise refused(error, client) from None


def _xread(after: Mapping[str, str], block_ms: int, count: int) -> tuple[Any, ...]:
    return "XREAD", "COUNT", count, "BLOCK", block_ms, "STREAMS", *after, *after.values()


def _found(reply: Any) -> dict[str, list[Entry]]:
    """Return the entries of each stream in a reply of XREAD.

    Redis has two shapes of it, and redis-py makes two more where it reads them.
    """
    streams = reply.items() if isinstance(reply, dict) else reply or ()
    return {key.decode(): _entries(found) for key, found in streams}


def _entries(found: Any) -> list[Entry]:
    one_deeper = bool(found) and isinstance(found[0], list) and not isinstance(found[0][0], bytes)
    return [_entry(*each) for each in (found[0] if one_deeper else found)]


def _entry(number: bytes, fields: Any) -> Entry:
    if isinstance(fields, dict):
        return number, fields
    return number, dict(zip(fields[::2], fields[1::2], strict=True))
