"""Runs supersteps as Celery jobs: CeleryBackend and the ``distgraph`` command."""

from __future__ import annotations

from distgraph import _doors
from distgraph.runners.handle import Run

from .backend import CeleryBackend
from .settings import Settings

__all__ = ["CeleryBackend", "Run", "Settings"]

_doors.refuse_second(__name__)
