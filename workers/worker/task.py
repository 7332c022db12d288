"""The Celery task: it reads the hint, does the job, and lets nothing out."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery

from distgraph.errors import DistGraphError
from workers.shared import hints
from workers.worker import jobs, releasing
from workers.worker.dropped import Reason
from workers.worker.failures import leaving, tells_end
from workers.worker.intake import HintStrategy
from workers.worker.office import Office

log = logging.getLogger(__name__)


def add_task(app: Celery, name: str, office: Office) -> Any:
    """Add the task ``name`` to ``app``; only its own options are set."""

    @app.task(
        name=name,
        acks_late=False,
        ignore_result=True,
        serializer="json",
        shared=False,
        typing=False,
        Strategy=HintStrategy(name, office.dropped),
    )
    def step(*args: Any, **kwargs: Any) -> None:
        hint = None if kwargs else hints.read(list(args))
        if hint is None:
            office.dropped.note(Reason.no_hint, args or kwargs)
            return
        try:
            jobs.step(office, hint)
        except DistGraphError as error:
            log.warning("A job of thread %s was given up: %s", hint.x, error)
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

    return step
