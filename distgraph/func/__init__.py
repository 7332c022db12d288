"""Workflows: graphs written as a function, whose steps are calls of other functions."""

from __future__ import annotations

from distgraph.func.entrypoints import entrypoint
from distgraph.func.tasks import TaskFunction, task
from distgraph.runners.futures import SyncAsyncFuture

__all__ = ["SyncAsyncFuture", "TaskFunction", "entrypoint", "task"]
