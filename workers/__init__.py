"""Runs supersteps as Celery jobs: CeleryBackend and the ``distgraph`` command."""

from __future__ import annotations

from workers.backend import CeleryBackend
from workers.client.run import Run
from workers.settings import Settings

__all__ = ["CeleryBackend", "Run", "Settings"]
