"""Worker processes of tests look for pool processes that ended ten times a second.

Celery looks every five seconds, which is all that a test of a killed process would wait for.
"""

from __future__ import annotations

from unittest.mock import patch

from celery.concurrency.asynpool import AsynPool

LOOKS = 0.1
"""Seconds between two looks."""


def look_often() -> None:
    """Have pools that this process will start do so."""
    often = property(lambda pool: {pool.maintain_pool: LOOKS})
    patch.object(AsynPool, "timers", often).start()
