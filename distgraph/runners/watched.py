"""Whether langchain-core is told of runs: where its runnables are loaded, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import replace
from typing import Any

from distgraph.core.beside import Watch
from distgraph.core.model import Failed
from distgraph.core.snapshot import current_values, visible
from distgraph.events import Concluded, Event
from distgraph.runners.backend import Job
from distgraph.runners.listeners import GraphListeners

PACKAGE = "langchain_core"
RUNNABLES = f"{PACKAGE}.runnables.config"
Speak = Callable[[Any, Mapping[str, Any], bool], None]
"""Takes a message of a model, what stands with it, and whether it is whole."""


def watch(speak: Speak | None) -> Watch | None:
    """Return what watches an attempt at a task; None where there are no models to be watched."""
    if RUNNABLES not in sys.modules:
        return None
    from distgraph.messages.watching import NodeWatch  # noqa: PLC0415 only where it is loaded

    return NodeWatch(speak)


class GraphRun:
    """A run of a graph as callbacks in this process see it; ``job`` is the one to carry.

    ``alone``: it is in no task of another run, so that graph handlers hear of it.
    """

    def __init__(self, job: Job, *, alone: bool) -> None:
        self._listeners = GraphListeners(job) if alone else None
        self._run = _begun(job)
        self.job = job
        if self._run is not None:
            config = {**job.invocation.config, "callbacks": self._run.get_child()}
            # What stands in a run's config is that of this run alone.
            told = {key: value for key, value in config.items() if key not in _OWN}
            self.job = replace(job, invocation=replace(job.invocation, config=told))

    def told(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        """Return ``events``, and tell callbacks how they end."""
        return events if self._run is None else self._told(events)

    def atold(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Do what ``told`` does."""
        return events if self._run is None else self._atold(events)

    def _told(self, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
        try:
            with closing(events):
                for event in events:
                    if self._listeners is not None:
                        self._listeners.hear(event)
                    self._ended(event)
                    yield event
        except BaseException as error:
            self._failed(error)
            raise

    async def _atold(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        try:
            async with aclosing(events):
                async for event in events:
                    if self._listeners is not None:
                        await self._listeners.ahear(event)
                    self._ended(event)
                    yield event
        except BaseException as error:
            self._failed(error)
            raise

    def _ended(self, event: Event) -> None:
        if self._run is None or not isinstance(event, Concluded):
            return
        if isinstance(event.outcome, Failed) and event.outcome.error.exception is not None:
            self._failed(event.outcome.error.exception)
            return
        graph, state = self.job.graph, event.state
        values = current_values(graph, state, event.ns) if state else {}
        run, self._run = self._run, None
        run.on_chain_end(visible(graph, values))

    def _failed(self, error: BaseException) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            run.on_chain_error(error)


_OWN = ("run_id", "run_name")


def _begun(job: Job) -> Any:
    if RUNNABLES not in sys.modules and not _has_handlers(job):
        return None
    from distgraph.messages.watching import begun  # noqa: PLC0415 only where it is loaded

    return begun(job.invocation.config, job.graph.told_as, job.start.given)


def _has_handlers(job: Job) -> bool:
    """Whether somebody listens who has loaded no more of langchain-core than what a handler is."""
    return bool(job.invocation.config.get("callbacks")) and PACKAGE in sys.modules
