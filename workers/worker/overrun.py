"""Gives up an attempt whose node goes on when its time is over, and this process with it."""

from __future__ import annotations

import logging
import os
import signal
from typing import Final

from distgraph.core.execute import read_error

from .attempt import Attempt, settle
from .handling import handled

log: Final = logging.getLogger(__name__)


def abandon(attempt: Attempt, late: Exception) -> None:
    """Record that the attempt failed with ``late``, as if its node had raised it; end the process.

    Celery tells of the job as of one whose process was lost; what else that ran is done again.
    """
    try:
        log.warning(
            "%s goes on when its time is over: its process is ended.",
            attempt.subject,
        )
        settle(attempt, handled(attempt, read_error(late, attempt.frame)))
    finally:
        os.kill(os.getpid(), signal.SIGKILL)
