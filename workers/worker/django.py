"""Coroutine nodes of a Django project: what they open is closed, as Celery does for other jobs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, TypeVar

from distgraph.core.execute import Offload

T = TypeVar("T")


async def closing_what_it_opens(run: Callable[[Offload], Awaitable[T]]) -> T:
    """Run a coroutine node; in a Django project its connections are closed at its end.

    They belong to threads: asgiref gives the node one of its own, as it does for each request of a
    server, so that nobody else's are closed. Celery's own part for Django does this around what
    runs in the job itself.
    """
    if not ("django" in sys.modules and "DJANGO_SETTINGS_MODULE" in os.environ):
        return await run(asyncio.to_thread)
    sync: Any = import_module("asgiref.sync")
    async with sync.ThreadSensitiveContext():
        try:
            return await run(_beside)
        finally:
            await sync.sync_to_async(_close)()


async def _beside(call: Callable[[], T]) -> T:
    """Run blocking code in another thread, which keeps no connection."""

    def closing() -> T:
        try:
            return call()
        finally:
            _close()

    return await asyncio.to_thread(closing)


def _close() -> None:
    """Close what this thread has open: databases and caches."""
    for connection in import_module("django.db").connections.all(initialized_only=True):
        connection.close()
    import_module("django.core.cache").close_caches()
