"""Who else than the log is told how a job ended; and what the log has been told of it already."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import Any, Final

from celery import signals
from celery.app.task import Task as BaseTask

log: Final = logging.getLogger("celery.app.trace")
HOOKS = ("__call__", "on_failure", "on_success", "after_return")
"""By which a task of an application's own class learns of its ends."""
SIGNALS = (signals.task_failure, signals.task_success, signals.task_postrun)


def has_witnesses(task: Any) -> bool:
    """Whether anybody in this process would know that a job of ``task`` raised, and did not return.

    Who asks for events is not looked for. Sentry's integration and its like replace ``run``.
    """
    return (
        any(signal.has_listeners(task) for signal in SIGNALS)
        or task.store_errors_even_if_ignored
        or "run" in vars(task)
        or _has_hooks(task.__class__)
    )


@cache
def _has_hooks(kind: type[Any]) -> bool:
    """Whether a class of tasks has one of the methods from others than Celery."""
    own = kind.__mro__[: kind.__mro__.index(BaseTask)]
    return any(hook in vars(each) for each in own for hook in HOOKS)


class Told:
    """The job, of each thread the last one, whose failure our log has told whole.

    Celery would tell it once more, in its own words, or call the job a success.
    """

    def __init__(self) -> None:
        self._here = threading.local()

    def note(self, job: str) -> None:
        """Have Celery's log say nothing of how ``job`` ended, which runs in this thread."""
        log.addFilter(self._is_news)  # the same one is added once
        self._here.job = job

    def _is_news(self, record: logging.LogRecord) -> bool:
        facts = getattr(record, "data", None)
        ended = facts.get("id") if isinstance(facts, dict) else None
        return ended is None or ended != getattr(self._here, "job", None)
