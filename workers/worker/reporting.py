"""Tells Celery, and who watches it, of a node that failed after its job had returned."""

from __future__ import annotations

import logging
from typing import Any, Final

from billiard.einfo import ExceptionInfo
from celery import signals

from distgraph.errors import DistGraphError, JobFailed

from ..shared.hints import Hint, arguments
from .office import Office
from .witnesses import has_witnesses

log: Final = logging.getLogger(__name__)


class Reporting:
    """Sends for jobs of the Celery task ``task`` what Celery sends for a job that raises."""

    def __init__(self, task: Any, office: Office) -> None:
        self._task, self._office = task, office

    def __call__(self, job: str, hint: Hint, failed: JobFailed) -> None:
        """Tell that the job of that id, which ``hint`` asked for, failed; raises nothing."""
        if not self.is_watched:
            return
        try:
            raise failed
        except JobFailed:
            told = ExceptionInfo()
        self._signal(job, list(arguments(hint.x, hint.ns, hint.ep, hint.tids)), failed, told)
        if self._sends_events:
            self._event(job, failed, told)

    @property
    def is_watched(self) -> bool:
        """Whether anybody but the log is told how jobs end."""
        return self._sends_events or has_witnesses(self._task)

    @property
    def _sends_events(self) -> bool:
        return bool(self._task.send_events and self._office.audience.wants_events)

    def _signal(self, job: str, args: list[Any], failed: JobFailed, told: Any) -> None:
        """Call who is connected to the signal, within a request as Celery has one."""
        known = {"id": job, "args": args, "kwargs": {}, "called_directly": False}
        self._task.push_request(**known, hostname=self._office.worker)
        try:
            signals.task_failure.send(
                sender=self._task,
                task_id=job,
                exception=failed,
                args=args,
                kwargs={},
                traceback=failed.__traceback__,
                einfo=told,
            )
        finally:
            self._task.pop_request()

    def _event(self, job: str, failed: JobFailed, told: Any) -> None:
        fields = {"uuid": job, "exception": repr(failed), "traceback": told.traceback}
        try:
            self._office.publisher.announce("task-failed", self._office.worker, fields)
        except DistGraphError as error:
            log.info("Who watches is not told that job %s failed: %s", job, error)
