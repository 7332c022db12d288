"""Storing behind a run that is on an event loop: in a task of that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from distgraph.effects import acarry
from distgraph.runners.stores import Asking, Saving


def begin(saving: Saving, perform: Callable[[Asking], Awaitable[Any]]) -> asyncio.Task[Any]:
    """Begin calls of a saver as a task of the loop."""
    return asyncio.get_running_loop().create_task(acarry(saving, perform))


async def joined(begun: asyncio.Task[Any]) -> BaseException | None:
    """Return what was raised by what was begun, which goes on where who waits is cancelled."""
    await asyncio.wait((begun,))
    return asyncio.CancelledError() if begun.cancelled() else begun.exception()
