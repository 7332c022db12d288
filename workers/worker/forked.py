"""What a node forked and let go on ends where the node does: the task is its parent's alone.

Such a child has all that its parent had, the right to record a result and the pool's next job
included.
"""

from __future__ import annotations

import os

from distgraph.core.model import Errored, Result

FAILED = 1


def end_child(parent: int, result: Result) -> None:
    """End this process, as Python does, unless it is the ``parent`` in which the node began."""
    if os.getpid() != parent:
        os._exit(status_of(result))


def status_of(result: Result) -> int:
    """Return with which status a process ends in which that came of a node."""
    if not isinstance(result, Errored):
        return os.EX_OK
    cause = result.exception.__cause__ if result.exception else None
    match cause:
        case SystemExit(code=None):
            return os.EX_OK
        case SystemExit(code=int(code)):
            return code & 0xFF
        case _:
            return FAILED
