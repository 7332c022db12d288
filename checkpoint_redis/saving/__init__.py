"""What each method of a saver asks of Redis, as generators of commands.

A blocking and an asyncio saver carry them: a generator yields a command and is sent its reply.
"""

from __future__ import annotations

from checkpoint_redis.saving.copying import copy_thread
from checkpoint_redis.saving.finding import places
from checkpoint_redis.saving.forgetting import delete_for_runs, delete_thread, prune
from checkpoint_redis.saving.reading import (
    get_found,
    get_frame,
    get_tuple,
    listed,
    shown_before,
)
from checkpoint_redis.saving.steps import Steps
from checkpoint_redis.saving.writing import put, put_writes

__all__ = [
    "Steps",
    "copy_thread",
    "delete_for_runs",
    "delete_thread",
    "get_found",
    "get_frame",
    "get_tuple",
    "listed",
    "places",
    "prune",
    "put",
    "put_writes",
    "shown_before",
]
