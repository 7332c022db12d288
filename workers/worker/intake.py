"""What lies between the broker's queue and a job: whatever stands there, the worker goes on.

An entry of a list is taken off before it is read, so what ended one worker would be gone, and the
next entry would end the next. Nothing of a user's application is replaced for it: a worker's own
consumer and channels are guarded while they live.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty
from typing import Any, Final

from billiard.exceptions import WorkerLostError
from celery import bootsteps
from celery.worker import state, strategy
from redis.exceptions import DataError

from . import asked
from .dropped import Dropped, Reason
from .meeting import HANDED_ON, HandingOn, Meetings

log: Final = logging.getLogger(__name__)
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class HintStrategy:
    """Celery's strategy for the task ``name``, behind a look at the message's form."""

    name: str
    dropped: Dropped
    meetings: Meetings

    def __call__(self, task: Any, app: Any, consumer: Any) -> Handler:
        """Return what handles the messages of the task."""
        handle = strategy.default(task, app, consumer)
        discard = Discarding(consumer, self.dropped)

        def on_message(message: Any, payload: Any, *more: Any) -> Any:
            found = None
            with contextlib.suppress(Exception):  # a codec's, for one
                found = None if payload is not None else asked.read(message, self.name)
            if found is None:
                discard(message, Reason.no_hint)
                return None
            message.headers, message.properties = dict(found.headers), dict(found.properties)
            if HANDED_ON in message.headers:
                self.meetings.look(message.headers, message.delivery_info.get("routing_key"))
            return handle(message, None, *more)

        return on_message


@dataclass(frozen=True, slots=True)
class Discarding:
    """Drops messages of one consumer: counted, and gone from the broker."""

    consumer: Any
    dropped: Dropped

    def __call__(self, message: Any, reason: Reason = Reason.garbled) -> None:
        """Drop a message, whatever is in it."""
        body = getattr(message, "body", None)
        self.dropped.note(reason, (getattr(message, "headers", None), body))
        with self._broken_only():
            message.reject_log_error(log, self.consumer.connection_errors)

    @contextlib.contextmanager
    def _broken_only(self) -> Iterator[None]:
        try:
            yield
        except outages(self.consumer):
            raise
        except Exception as error:  # noqa: BLE001 - what it says of its own delivery may be wrong
            log.debug("A message that was dropped could not be rejected: %r", error)

    def unless(self, handle: Handler) -> Handler:
        """Return ``handle``, which drops the message instead of failing."""

        def guarded(message: Any, *more: Any) -> Any:
            try:
                return handle(message, *more)
            except outages(self.consumer):
                raise
            except Exception as error:  # noqa: BLE001 - any that its content leads to
                log.debug("A message could not be handled: %r", error)
            return self(message)

        return guarded


def outages(consumer: Any) -> tuple[type[BaseException], ...]:
    """Return what is no message's fault.

    kombu takes two errors for a broken connection that a message's content leads to.
    """
    named = (*consumer.connection_errors, *consumer.channel_errors, MemoryError, WorkerLostError)
    return tuple(kind for kind in named if kind not in (KeyError, DataError))


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads from a channel of kombu's Redis transport, and reads on after what cannot be read."""

    read: Handler
    consumer: Any
    dropped: Dropped

    def __call__(self, **options: Any) -> Any:
        """Read one entry and deliver it."""
        try:
            return self.read(**options)
        except Empty:
            raise
        except outages(self.consumer):
            raise
        except Exception as error:  # noqa: BLE001 - any that an entry leads to
            self.dropped.note(Reason.garbled, _entry(error))
        raise Empty


def _entry(error: Exception) -> object:
    """Return the entry of a list that led to ``error``: only kombu's reader had it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "item" in frame.f_locals:
            return frame.f_locals["item"]
    return error


def guard_step(task: str, dropped: Dropped, handing: HandingOn, *, own: bool) -> type[Any]:
    """Return the step that guards a consumer of ``task``; ``own``: the application is ours."""

    class Guard(bootsteps.StartStopStep):
        """Guards a worker's consumer, and its channels each time that it has connected."""

        name = f"distgraph.guard.{task}"
        requires = (
            "celery.worker.consumer.tasks:Tasks",
            "celery.worker.consumer.control:Control",
            "celery.worker.consumer.gossip:Gossip",
        )

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            _guard_consumer(consumer, Discarding(consumer, dropped), handing, task, own=own)

        def start(self, consumer: Any) -> None:
            handing.begin()
            for channel in getattr(consumer.connection.transport, "channels", None) or ():
                _guard_channel(channel, consumer, dropped)

        def stop(self, _: Any) -> None:
            handing.end()

        def info(self, _: Any) -> Any:
            """Return what ``celery inspect stats`` shows."""
            return {f"distgraph.{task}": {"dropped": dropped.counts()}}

    return Guard


def _guard_consumer(
    consumer: Any, discard: Discarding, handing: HandingOn, task: str, *, own: bool
) -> None:
    """Guard what a consumer does with a message; on our own application all of them are ours."""
    undecoded, create = consumer.on_decode_error, consumer.create_task_handler
    unregistered = consumer.on_unknown_task

    def on_decode_error(message: Any, error: Exception) -> None:
        if own or message.headers.get("task") == task:
            discard(message)
        else:
            undecoded(message, error)

    def on_unknown_task(body: Any, message: Any, error: Exception) -> None:
        if handing.takes(consumer, message):
            return
        if own:
            discard(message, Reason.unknown)
        else:
            unregistered(body, message, error)

    consumer.on_decode_error = discard.unless(on_decode_error)
    if own:
        consumer.on_unknown_message = lambda _, message: discard(message)
        consumer.on_invalid_task = lambda _, message, __: discard(message)
    consumer.on_unknown_task = on_unknown_task
    consumer.create_task_handler = lambda *args: discard.unless(create(*args))
    _guard_pool(consumer, discard)


def _guard_pool(consumer: Any, discard: Discarding) -> None:
    """Give the pool's slot back when a request cannot be sent to it."""
    controller = consumer.controller
    process = controller._process_task  # noqa: SLF001 - the one place where a slot is known

    def give_up(request: Any) -> None:
        discard(request.message)
        with contextlib.suppress(Exception):  # its id may be of any type
            state.task_ready(request)
        if release := getattr(controller, "_quick_release", None):
            release()

    def guarded(request: Any) -> None:
        if not _is_bearable(request):
            give_up(request)
            return
        try:
            process(request)
        except outages(consumer):
            raise
        except Exception as error:  # noqa: BLE001 - whatever its content leads to
            log.debug("A request could not be sent to the pool: %r", error)
            give_up(request)

    if consumer.on_task_request == process:  # a pool without slots
        consumer.on_task_request = guarded
    controller._process_task = guarded  # noqa: SLF001 - as above


def _is_bearable(request: Any) -> bool:
    """Whether it has what a pool reads only when the job has begun: names, and a pair of limits."""
    if not (isinstance(request.id, str | int) and isinstance(request.name, str)):
        return False
    match request.time_limits:
        case [hard, soft]:
            return asked.number(hard) and asked.number(soft)
        case _:
            return False


def _guard_channel(channel: Any, consumer: Any, dropped: Dropped) -> None:
    """Guard what a channel reads, in a transport that reads by handlers, which Redis' does."""
    handlers = getattr(channel, "handlers", {})
    for kind, read in handlers.items():
        if not isinstance(read, Reading):
            handlers[kind] = Reading(read, consumer, dropped)
