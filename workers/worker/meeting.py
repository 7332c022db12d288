"""Jobs of other namespaces in a queue that both consume: told of, and handed on to their workers.

Who drops such a job makes its caller wait for a sweeper of the other namespace, which misses it
late. Queues of ours carry the namespace: they meet in those of applications that users bring.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from distgraph.errors import BrokerUnavailable

from ..broker.publisher import CeleryPublisher
from . import asked

log: Final = logging.getLogger(__name__)
HANDED_ON = "distgraph_handed_on"
"""The header of a job that was handed on: by which namespace, and how often until then."""
MOST_TIMES, MOST_HELD, MOST_SHOWN = 600, 2_000, 20
"""So often is a job handed on, so many are held meanwhile, and so many meetings are told of."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
MOST_A_SECOND = 100
"""So many jobs are let go in a second where more are held; those of its own need a worker, too."""
REMEMBERED = 300.0
"""Seconds for which others are told of a meeting."""
_NAMESPACE = r"[a-z0-9_-]{1,32}"
_JOB = re.compile(rf"({_NAMESPACE})\.step")


class Meetings:
    """In which queues a worker of ``namespace`` has met others, and when last."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._last: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def note(self, queue: str, other: str) -> None:
        """Remember that jobs of both are in ``queue``; the first time it is logged."""
        with self._lock:
            is_new = (queue, other) not in self._last
            if is_new and len(self._last) >= MOST_SHOWN:
                return
            self._last[queue, other] = time.monotonic()
        if is_new:
            log.warning(
                "Namespaces '%s' and '%s' meet in queue '%s': workers of each fetch jobs of the "
                "other, and hand them on, which costs time. Give them queues of their own.",
                self._namespace,
                other,
                queue,
            )

    def of_late(self) -> tuple[tuple[str, str], ...]:
        """Return (queue, other namespace) of what was met a while ago or later."""
        since = time.monotonic() - REMEMBERED
        with self._lock:
            return tuple(sorted(pair for pair, last in self._last.items() if last >= since))

    def look(self, headers: Mapping[str, Any], queue: Any) -> None:
        """Note by whom a job of ours was handed on, before it came here."""
        if (told := _handed_on(headers)) and isinstance(queue, str):
            self.note(queue, told[0])


class HandingOn:
    """Puts jobs of other namespaces back into their queue, where one of their workers takes them.

    At once the first time. Of those that come back every second one is held, for ever longer: who
    should take it may be busy, or away. The others go at once: while this worker handles a message
    it does not wait for the next, and whoever does gets it.
    """

    def __init__(self, publisher: CeleryPublisher, meetings: Meetings, namespace: str) -> None:
        self._publisher, self._meetings, self._namespace = publisher, meetings, namespace
        self._held: dict[object, Callable[[], None]] = {}
        self._leaves = False

    def begin(self) -> None:
        """Hand on from now on: the worker consumes."""
        self._leaves = False

    def takes(self, consumer: Any, message: Any) -> bool:
        """Whether ``message`` is such a job, which is handed on then."""
        other, queue = _job_of(message), message.delivery_info.get("routing_key")
        if other is None or not consumer.task_consumer.consuming_from(queue):
            return False
        self._meetings.note(queue, other)
        _, times = _handed_on(message.headers) or ("", 0)
        if times >= MOST_TIMES or len(self._held) >= MOST_HELD:
            return False
        if self._leaves:  # what is delivered now is for others, as if it had not been
            message.reject_log_error(log, consumer.connection_errors, requeue=True)
            return True
        message.ack_log_error(log, consumer.connection_errors)
        told = {HANDED_ON: [self._namespace, times + 1]}
        self._hold(
            consumer.timer, self._pause(times), partial(self._publisher.again, message, queue, told)
        )
        return True

    def _pause(self, times: int) -> float:
        """Return how long a job is held that was handed on so often, in seconds."""
        if times % 2 == 0:
            return 0.0
        longer = FIRST_PAUSE * 2.0 ** min(times // 2, 10)
        return max(min(LONGEST_PAUSE, longer), len(self._held) / MOST_A_SECOND)

    def _hold(self, timer: Any, pause: float, send: Callable[[], None]) -> None:
        key = object()
        self._held[key] = send
        if pause:
            timer.call_after(pause, self._let_go, (key,))
        else:
            self._let_go(key)

    def _let_go(self, key: object) -> None:
        send = self._held.pop(key, None)
        if send is None:
            return
        try:
            send()
        except BrokerUnavailable as error:
            log.info("A job of another namespace is left to its sweeper: %s", error)

    def end(self) -> None:
        """Hold nothing any longer: the worker stops to consume."""
        self._leaves = True
        for key in tuple(self._held):
            self._let_go(key)


def _job_of(message: Any) -> str | None:
    """Return the namespace whose job ``message`` is, None where it is none."""
    with suppress(Exception):  # whatever its content leads to
        found = _JOB.fullmatch(message.headers["task"])
        if found and asked.read(message, found[0]):
            return found[1]
    return None


def _handed_on(headers: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return by which namespace a job was handed on, and how often by then."""
    match headers.get(HANDED_ON):
        case [str(by), int(times)] if re.fullmatch(_NAMESPACE, by) and times > 0:
            return by, times
    return None
