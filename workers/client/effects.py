"""What a caller's conversations with the store ask for.

A flow is a generator that yields what it needs (a command, a publication, user code to be run here,
events to be read) and is sent the answer; with ``Tell`` it tells an event of the run.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.commands import Plain, Script
from distgraph.effects import Tell
from distgraph.engine import RunHere
from distgraph.runners.backend import Job
from workers.shared.hints import Outgoing


@dataclass(frozen=True, slots=True)
class Publish:
    """Send messages; the answer is None."""

    messages: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """Make sure that the broker can be reached, before anything is stored."""


@dataclass(frozen=True, slots=True)
class Here:
    """Run user code in this process; the answer is its results."""

    job: Job
    request: RunHere


@dataclass(frozen=True, slots=True)
class Read:
    """Wait up to ``block_ms`` for entries of a stream after ``after``; the answer is a list.

    It is empty, too, when the connection was lost: the stream is still there on the next one.
    """

    key: str
    after: str
    block_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


Effect = Script[Any] | Plain[Any] | Publish | Reach | Here | Read | Wait | Tell
Flow = Generator[Effect, Any, Any]
