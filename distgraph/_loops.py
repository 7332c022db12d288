"""What asyncio knows, for code that runs without it too.

Who has not imported it runs no event loop; importing it takes an eighth of what importing all of
this library does.
"""

from __future__ import annotations

import sys
from typing import Any


def current_task() -> Any:
    """Return the task of the event loop that runs the caller, None outside of one."""
    running = _of_asyncio("_get_running_loop")
    return _of_asyncio("current_task")() if running is not None and running() is not None else None


def cancellations() -> tuple[type[BaseException], ...]:
    """Return what a task of an event loop is cancelled with, () where there can be none."""
    found = _of_asyncio("CancelledError")
    return () if found is None else (found,)


def _of_asyncio(name: str) -> Any:
    """Return what asyncio has of that name; None as well while another thread imports it."""
    return getattr(sys.modules.get("asyncio"), name, None)
