"""A client's conversations with the store, as generators; a blocking and an asyncio driver.

A flow yields what it needs (a command, a publication, user code to be run here, events to be
read) and is sent the answer; ``Tell`` hands an event to whoever listens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from redis import exceptions

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.ledger import AsyncLedger, Ledger
from distgraph.engine import RunHere
from distgraph.events import Event
from distgraph.runners.backend import Job
from distgraph.runners.here import run_here, run_here_async
from workers.shared.hints import Outgoing

_LOST = (exceptions.ConnectionError, exceptions.TimeoutError)


@dataclass(frozen=True, slots=True)
class Publish:
    """Send messages; the answer is None."""

    messages: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """Make sure that the broker can be reached, before anything is stored."""


@dataclass(frozen=True, slots=True)
class Here:
    """Run user code in this process; the answer is its results."""

    job: Job
    request: RunHere


@dataclass(frozen=True, slots=True)
class Read:
    """Wait up to ``block_ms`` for entries of a stream after ``after``; the answer is a list.

    It is empty, too, when the connection was lost: the stream is still there on the next one.
    """

    key: str
    after: str
    block_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand ``event`` to whoever follows the run."""

    event: Event


Effect = Script[Any] | Plain[Any] | Publish | Reach | Here | Read | Wait | Tell
Flow = Generator[Effect, Any, Any]


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


def told(flow: Flow, means: Means) -> Generator[Event, None, Any]:
    """Carry ``flow``, yielding what it tells; return its result."""
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Tell):
                yield effect.event
                effect = next(flow)
                continue
            try:
                answer = _perform(effect, means)
            except Exception as error:  # noqa: BLE001 the flow may know what it means
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as stop:
        return stop.value


def carry(flow: Flow, means: Means) -> Any:
    """Carry a flow whose events nobody wants; return its result."""
    steps = told(flow, means)
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        return stop.value


def _perform(effect: Effect, means: Means) -> Any:
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
            msg = "This flow tells events: carry it with told()."
            raise TypeError(msg)
    return None


async def atold(flow: Flow, means: AsyncMeans, result: list[Any]) -> AsyncIterator[Event]:
    """Carry ``flow`` as ``told`` does; its result is appended to ``result``."""
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Tell):
                yield effect.event
                effect = next(flow)
                continue
            try:
                answer = await _aperform(effect, means)
            except Exception as error:  # noqa: BLE001 the flow may know what it means
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as stop:
        result.append(stop.value)


async def acarry(flow: Flow, means: AsyncMeans) -> Any:
    """Carry ``flow`` as ``carry`` does."""
    result: list[Any] = []
    async for _ in atold(flow, means, result):
        pass
    return result[0]


async def _aperform(effect: Effect, means: AsyncMeans) -> Any:
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
            msg = "This flow tells events: carry it with atold()."
            raise TypeError(msg)
    return None


def _entries(reply: Any) -> list[Any]:
    """Return the entries in a reply of XREAD, which redis-py shapes in two ways."""
    if not reply:
        return []
    found = next(iter(reply.values())) if isinstance(reply, dict) else reply[0][1]
    return list(found[0]) if found and isinstance(found[0], list) else list(found)
