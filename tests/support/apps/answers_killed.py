"""A client that is killed while what it answered is on its way to the tasks.

``python -m tests.support.apps.answers_killed REDIS NAMESPACE THREAD``
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from checkpoint_redis import commands
from tests.support.apps.served import register
from workers import CeleryBackend
from workers.client import answering


def killed(*_: Any) -> Any:
    """End at once, as the kernel ends a process without memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(redis: str, namespace: str, thread: str) -> None:
    """Answer everything that the thread asks, up to the first slice of it."""
    backend = CeleryBackend(redis, namespace=namespace)
    register(backend)
    handle, move = backend.thread(thread), commands.move
    moves = iter((move, killed))
    answering.commands.move = lambda of: next(moves)(of)  # type: ignore[attr-defined]
    handle.resume({asked.id: "yes" for asked in handle.interrupts})


if __name__ == "__main__":
    main(*sys.argv[1:])
