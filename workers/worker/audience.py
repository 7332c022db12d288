"""Whether somebody wants Celery's events of tasks, known in all processes of a worker's pool."""

from __future__ import annotations

import mmap
from typing import Any

from celery import bootsteps

EVERY = 1.0
"""Seconds between two looks: who watches says so to a worker at any time."""


class Audience:
    """Told by the worker's consumer; the processes that it forks share the memory."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    @property
    def wants_events(self) -> bool:
        """Whether events of tasks are wanted."""
        return bool(self._shared[0])

    def note(self, dispatcher: Any) -> None:
        """Note what a consumer's dispatcher, None while it has none, would send."""
        groups = dispatcher.groups if dispatcher and dispatcher.enabled else {"nothing"}
        self._shared[0] = not groups or "task" in groups


def audience_step(label: str, audience: Audience) -> type[Any]:
    """Return the step of a consumer that keeps ``audience`` up to date."""

    class Watched(bootsteps.StartStopStep):
        """Looks at the consumer's dispatcher of events, again and again."""

        requires = ("celery.worker.consumer.events:Events",)
        name = label

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            self._looks: Any = None

        def start(self, consumer: Any) -> None:
            def look() -> None:
                audience.note(consumer.event_dispatcher)

            look()
            self._looks = consumer.timer.call_repeatedly(EVERY, look)

        def stop(self, _: Any) -> None:
            if self._looks is not None:
                self._looks.cancel()

    return Watched
