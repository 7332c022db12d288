"""The Celery task: it reads the hint, does the job, and lets nothing out but what failed."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery import Celery

from distgraph.errors import DistGraphError

from ..shared import hints
from . import jobs, releasing
from .dropped import Reason
from .failures import leaving, tells_end
from .intake import HintStrategy
from .office import Office
from .reporting import Reporting
from .witnesses import Told

log: Final = logging.getLogger(__name__)


def add_task(app: Celery, name: str, office: Office) -> Any:
    """Add the task ``name`` to ``app``; only its own options are set.

    It raises JobFailed for what failed, and is not repeated for it, whatever the application's
    other tasks are. A failure that is tried again, and of which nobody but the log would know, it
    does not raise: that costs Celery more than the attempt itself.
    """
    told = Told()

    @app.task(
        name=name,
        acks_late=False,
        autoretry_for=(),
        ignore_result=True,
        serializer="json",
        shared=False,
        typing=False,
        Strategy=HintStrategy(name, office.dropped, office.meetings),
    )
    def step(*args: Any, **kwargs: Any) -> None:
        hint = None if kwargs else hints.read(list(args))
        if hint is None:
            office.dropped.note(Reason.no_hint, args or kwargs)
            return
        try:
            failed = jobs.step(office, hint, step.request.id or "")
        except DistGraphError as error:
            log.warning("A job of thread %s was given up: %s", hint.x, error)
            return
        except BaseException as error:
            if not tells_end(error):
                log.exception("A job of thread %s failed", hint.x)
                return
            # That its worker cuts the job short is no failure and no loss.
            releasing.hand_over(office, hint)
            raise
        # The node was ended, and has failed by that, or did not let itself be.
        if (told_to_leave := leaving()) is not None:
            raise told_to_leave
        if failed is not None:
            told.note(step.request.id or "")
            if failed.is_final or reporting.is_watched:
                raise failed

    office.report = reporting = Reporting(step, office)
    return step
