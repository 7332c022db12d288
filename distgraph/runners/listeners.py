"""Who hears that a run stops or goes on: the graph handlers among the callbacks of its config."""

from __future__ import annotations

import contextvars
import inspect
import logging
import sys
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from distgraph.core.decide import stopped_after
from distgraph.core.model import Paused, ThreadState
from distgraph.effects import acarry, carry
from distgraph.events import Concluded, Event, Resumed
from distgraph.runners.backend import Job

if TYPE_CHECKING:  # most runs have no handlers
    from distgraph.callbacks import (
        GraphInterruptEvent,
        GraphLifecycleEvent,
        GraphLifecycleStatus,
        GraphResumeEvent,
    )

log = logging.getLogger(__name__)
_MODULE = "distgraph.callbacks"
_FAILED = (
    "The callback %s.%s failed: %r. The run is none the worse; raise_error=True ends its call."
)


def handlers_in(callbacks: Any) -> tuple[Any, ...]:
    """Return the handlers of a config: a list of them, or a manager that has them."""
    return tuple(getattr(callbacks, "handlers", callbacks) or ())


def unheard(job: Job) -> list[Any]:
    """Return the handlers that want to hear of more than of the stops of ``job``."""
    own = _graph_handlers(job.invocation.config)
    return [each for each in handlers_in(job.invocation.config.get("callbacks")) if each not in own]


def followed(job: Job) -> Job:
    """Return ``job`` with a mode that tells how it goes on, where a graph handler listens."""
    if job.modes or not _graph_handlers(job.invocation.config):
        return job
    return replace(job, modes=frozenset(("values",)))


class GraphListeners:
    """The graph handlers of a root run; it is told of its stop and of its going on once each."""

    def __init__(self, job: Job) -> None:
        self._handlers = _graph_handlers(job.invocation.config)
        self._job = job
        self._run_id = _run_id(job.invocation.config)
        self._resumed = False

    def hear(self, event: Event) -> None:
        """Tell the handlers what ``event`` means to them; raise what one of them insists on."""
        if self._handlers and (told := self._told(event)):
            carry(_calls(self._handlers, *told), _awaited)

    async def ahear(self, event: Event) -> None:
        """Do what ``hear`` does."""
        if self._handlers and (told := self._told(event)):
            await acarry(_calls(self._handlers, *told), _await)

    def _told(self, event: Event) -> tuple[str, GraphLifecycleEvent] | None:
        match event:
            case Resumed(_, state) if not self._resumed:
                self._resumed = True
                return "on_resume", self._resume(state)
            case Concluded(_, ThreadState() as state, Paused() as outcome):
                return "on_interrupt", self._interrupt(state, outcome)
            case _:
                return None

    def _resume(self, state: ThreadState) -> GraphResumeEvent:
        from distgraph.callbacks import GraphResumeEvent  # noqa: PLC0415 there for who listens

        return GraphResumeEvent(self._run_id, "pending", state.checkpoint.id, ())

    def _interrupt(self, state: ThreadState, outcome: Paused) -> GraphInterruptEvent:
        from distgraph.callbacks import GraphInterruptEvent  # noqa: PLC0415 there for who listens

        asked = tuple(question.interrupt for question in outcome.questions)
        at, start = state.checkpoint, self._job.start
        if asked or state.results:
            return GraphInterruptEvent(self._run_id, "pending", at.id, (), asked)
        is_after = stopped_after(at, start.after)
        stop: GraphLifecycleStatus = "interrupt_after" if is_after else "interrupt_before"
        return GraphInterruptEvent(self._run_id, stop, at.id, (), ())


def _graph_handlers(config: Mapping[str, Any]) -> tuple[Any, ...]:
    if not config.get("callbacks") or _MODULE not in sys.modules:
        return ()
    from distgraph.callbacks import GraphCallbackHandler  # noqa: PLC0415 there for who listens

    given = handlers_in(config["callbacks"])
    return tuple(each for each in given if isinstance(each, GraphCallbackHandler))


def _run_id(config: Mapping[str, Any]) -> UUID:
    given = config.get("run_id")
    try:
        return given if isinstance(given, UUID) else UUID(str(given))
    except ValueError:
        return uuid4()


def _calls(
    handlers: Iterable[Any], name: str, event: GraphLifecycleEvent
) -> Generator[Any, Any, None]:
    """Call each of ``handlers``, and yield what there is to await."""
    for handler in handlers:
        try:
            found = getattr(handler, name)(event)
            if inspect.isawaitable(found):
                yield found
        except Exception as error:
            if getattr(handler, "raise_error", False):
                raise
            log.warning(_FAILED, type(handler).__name__, name, error)


async def _await(found: Any) -> Any:
    return await found


def _awaited(found: Any) -> Any:
    """Await ``found`` for who blocks: on a loop of its own, since one may run in this thread."""
    import asyncio  # noqa: PLC0415 most run no loop

    with ThreadPoolExecutor(1) as thread:
        run = partial(asyncio.run, _await(found))
        return thread.submit(contextvars.copy_context().run, run).result()
