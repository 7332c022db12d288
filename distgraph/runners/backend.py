"""The contract between a compiled graph and what carries its runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from distgraph.core.frame import Invocation
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.engine import Program, Start
from distgraph.events import Event


@dataclass(frozen=True, slots=True)
class Place:
    """Which thread, which frame of it, and which checkpoint ('' for the newest)."""

    thread_id: str
    ns: str = ""
    checkpoint_id: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A program to carry: what drives it, where it is stored and what its tasks are told.

    ``live``: chunks of running nodes are wanted while they run. ``modes`` are the stream modes
    that somebody listens to, with ``subgraphs`` of graphs inside too. For a backend that keeps
    runs: ``run_id`` is the id that its caller chose, or '', and ``if_new`` says whether the thread
    must not be there yet. ``step_timeout``: the seconds that a superstep may take.
    """

    graph: Graph
    program: Program
    place: Place
    invocation: Invocation
    start: Start
    live: bool = False
    modes: frozenset[str] = frozenset()
    subgraphs: bool = False
    max_concurrency: int | None = None
    run_id: str = ""
    if_new: bool = False
    step_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Which checkpoints of a thread are asked for; newest first."""

    before: str = ""
    limit: int | None = None
    filter: Mapping[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """Carries programs; every call has an async twin that does the same on the caller's loop."""

    @property
    def durable(self) -> bool:
        """Whether a paused run can be resumed."""
        ...

    def thread_for(self, graph: Graph, *, fresh: bool) -> str:
        """Return the id of the thread for a call of ``graph`` that names none.

        ``fresh``: it is a run with a new input. Raises ValueError when it has to name one.
        """
        ...

    def now(self) -> int:
        """Return the time in ms since 1970, by which a run finds deadlines over when it begins.

        0 where that is somebody else's business.
        """
        ...

    def events(self, job: Job) -> Generator[Event, None, None]:
        """Carry ``job`` to its end, telling what happens; the last event is Concluded.

        Who closes it leaves: what runs in this process and cannot be stopped is awaited and kept.
        """
        ...

    def aevents(self, job: Job) -> AsyncGenerator[Event, None]:
        """Carry ``job`` as ``events`` does."""
        ...

    def load(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what is stored at ``place``, None when nothing is."""
        ...

    async def aload(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what ``load`` returns."""
        ...

    def history(self, graph: Graph, place: Place, listing: Listing) -> Iterator[ThreadState]:
        """Return the stored states of a frame, newest first."""
        ...

    def ahistory(self, graph: Graph, place: Place, listing: Listing) -> AsyncIterator[ThreadState]:
        """Return what ``history`` returns."""
        ...
