"""The handle of a run that a backend carries: what ``submit`` returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, Generic

from distgraph.typing import OutputT


class Run(ABC, Generic[OutputT]):
    """A run, under way or over; any number of handles may look at it, from any process.

    Every ``a...`` method does what its namesake does, or returns what the attribute of that name
    is, on the caller's event loop.
    """

    @property
    @abstractmethod
    def id(self) -> str:
        """The run's id."""

    @property
    @abstractmethod
    def thread_id(self) -> str:
        """The id of the thread that it runs on."""

    @property
    @abstractmethod
    def status(self) -> str:
        """pending, success, error, interrupted or cancelled; 'unknown' when it was forgotten."""

    @abstractmethod
    async def astatus(self) -> str:
        """Return what ``status`` is."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """start, resume, reask or retry; 'unknown' when it was forgotten."""

    @abstractmethod
    async def akind(self) -> str:
        """Return what ``kind`` is."""

    @property
    @abstractmethod
    def by(self) -> str:
        """Who started it; '' when nobody said so, or when it was forgotten."""

    @abstractmethod
    async def aby(self) -> str:
        """Return what ``by`` is."""

    @property
    @abstractmethod
    def began(self) -> datetime | None:
        """When it began, by the clock of the store; None when it was forgotten."""

    @abstractmethod
    async def abegan(self) -> datetime | None:
        """Return what ``began`` is."""

    @property
    @abstractmethod
    def ended(self) -> datetime | None:
        """When it ended; None while it is under way, and when it was forgotten."""

    @abstractmethod
    async def aended(self) -> datetime | None:
        """Return what ``ended`` is."""

    @property
    @abstractmethod
    def metadata(self) -> dict[str, Any]:
        """The ``metadata`` of the config that it was called with, as long as its record is kept."""

    @abstractmethod
    async def ametadata(self) -> dict[str, Any]:
        """Return what ``metadata`` is."""

    @abstractmethod
    def result(self, timeout: float | None = None) -> OutputT:
        """Wait for the end and return what ``invoke`` returns, or raise what it raises.

        Raises RunTimeout after ``timeout`` seconds, RunCancelled, LookupError when the graph is not
        compiled here, RuntimeError inside a node, and inside a Celery task whose worker consumes
        a queue of the graph: a worker that waits for a worker can wait for ever.
        """

    @abstractmethod
    async def aresult(self, timeout: float | None = None) -> OutputT:  # noqa: ASYNC109 a run's own
        """Do what ``result`` does."""

    @abstractmethod
    def stream(
        self, after: str = "", *, ids: bool = False, subgraphs: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """Yield (mode, chunk) of the modes that were named at submit, from the run's beginning.

        ``subgraphs``: yield (namespace, mode, chunk) of graphs inside nodes too, ValueError where
        submit was not told so. ``ids``: yield an id before that, and with the mode ``superseded``
        which attempt of a task is void, {id, name, attempt}: what it has streamed is to be
        forgotten. ``after``, one of these ids, goes on behind that chunk. Where chunks are not kept
        any more, one of the mode ``gap`` stands in their place, {after, values, next, status}: what
        is known now.
        """

    @abstractmethod
    def astream(
        self, after: str = "", *, ids: bool = False, subgraphs: bool = False
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Yield what ``stream`` yields."""

    @abstractmethod
    def cancel(self, *, kill: bool = False) -> bool:
        """Cancel the run; False when it had ended already.

        Its coroutine nodes are cancelled within a heartbeat of their worker. A blocking node goes
        on in vain, unless ``kill``: then workers with the pool prefork end it, with its process,
        where their heartbeat is shorter than a minute.
        """

    @abstractmethod
    async def acancel(self, *, kill: bool = False) -> bool:
        """Do what ``cancel`` does."""
