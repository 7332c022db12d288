"""What a caller's conversations with the store ask for.

A flow is a generator that yields what it needs (a command, a publication, user code to be run here,
events to be read) and is sent the answer; with ``Tell`` it tells an event of the run.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.commands import Plain, Script
from checkpoint_redis.events import EntryId
from checkpoint_redis.keys import Thread
from distgraph.effects import Tell
from distgraph.engine import RunHere
from distgraph.runners.backend import Job

from ..shared.hints import Outgoing
from .listeners import Listener
from .watched import Watched


@dataclass(frozen=True, slots=True)
class Together:
    """Carry out many commands in one round trip; the answer has their replies."""

    commands: tuple[Script[Any] | Plain[Any], ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Send messages; the answer is whether they went out, else the sweeper sends them."""

    messages: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """Make sure that the broker can be reached, before anything is stored."""


@dataclass(frozen=True, slots=True)
class HintsOut:
    """Have the store told that the hints of superstep ``ep`` went out, when there is time."""

    thread: Thread
    ep: str


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing has to be told of a thread any more: its run ended."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class Here:
    """Run user code in this process; the answer is its results."""

    job: Job
    request: RunHere


@dataclass(frozen=True, slots=True)
class Read:
    """Read entries of streams after an id; the answer has those of each stream with any.

    ``block_ms``: wait so long for the first one. The answer is None when the connection was lost:
    the streams are still there on the next one.
    """

    after: Mapping[str, str]
    block_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class AwaitEnd:
    """Wait for the end of a run that was under way at ``since``, until ``deadline``.

    It is over, too, when the run is not carried any more.
    """

    of: Watched
    since: EntryId
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Listen:
    """Begin to listen to the events of a run's thread; the answer is a Listener, who has to leave.

    A flow that is closed can ask for nothing more, so leaving is no effect.
    """

    of: Watched


@dataclass(frozen=True, slots=True)
class AwaitEvents:
    """Wait for entries after one; the answer has them, or is empty: look how the run stands."""

    listener: Listener
    after: EntryId


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing until a bell rings, for ``seconds`` at most."""

    bell: Any
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


Awaited = Read | AwaitEnd | Listen | AwaitEvents | Rest | Wait
Sending = Publish | Reach | HintsOut | Over
Effect = Script[Any] | Plain[Any] | Together | Sending | Here | Awaited | Tell
Flow = Generator[Effect, Any, Any]
