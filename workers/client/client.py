"""What a caller asks of a backend: to start runs, to follow them, to look at threads.

Every ``a...`` method does what its namesake does, on the caller's event loop.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.saver import RedisSaver
from checkpoint_redis.sightings import WorkerSeen
from distgraph import _frame
from distgraph._allowed import OneOrMore
from distgraph._checked import checked
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.events import Concluded, Event
from distgraph.graph.jobs import about
from distgraph.graph.results import conclude
from distgraph.runners.backend import Job, Listing, Place
from distgraph.runners.handle import Run
from distgraph.runners.listeners import followed, handlers_in, unheard
from distgraph.runners.local import LocalBackend

from ..broker.joining import refuse_to_wait
from ..shared.clients import Clients
from ..shared.served import Registry, Served
from ..shared.shown import Shown
from . import following, reading, starting
from .attaching import FoundRun, attach
from .begun import Begun
from .carrier import Carrier, Messenger
from .draining import Relays
from .effects import Effect, Flow
from .listed import ThreadInfo, info_of
from .listing import Wanted, count_threads, list_threads
from .once import once
from .run import CeleryRun, attached
from .thread import ThreadHandle
from .watched import Watched

log: Final = logging.getLogger(__name__)
UNNAMED = (
    "This call is about a thread that is there, and its config names none: pass config="
    "{'configurable': {'thread_id': '...'}}. invoke(), stream() and submit() with a new input "
    "alone begin a thread of their own; the handle that submit() returns tells its thread_id."
)
MADE_UP = (
    "A run of graph '%s' was started without a thread_id, on a new thread %s. Each such run has a "
    "thread of its own, which stays stored: name it by config={'configurable': {'thread_id': "
    "'...'}} to go on with it later. This is said once."
)
UNHEARD = (
    "The callbacks %s of a run of graph '%s' hear of the run as a whole alone, and of none that is "
    "submitted: its nodes run on workers, whose callbacks are those that the graph is registered "
    "with, as by graph.with_config(callbacks=[...]).on(backend, name). This is said once."
)


@checked
class Client:
    """Starts, follows and reads the runs of the graphs in ``registry``, which workers carry."""

    durable = True

    def __init__(
        self,
        namespace: str,
        clients: Clients,
        registry: Registry,
        messenger: Messenger,
        metadata_keys: tuple[str, ...],
    ) -> None:
        self.namespace: Final = namespace
        self.registry: Final = registry
        self._metadata_keys = metadata_keys
        self._messenger = messenger
        self._carrier = Carrier(namespace, clients, messenger)
        self._relays = Relays(self._carrier)
        self._has_made_up = False
        self._has_unheard = False

    @property
    def ledger(self) -> Ledger:
        """The store's commands, as a caller uses them."""
        return self._carrier.ledger

    def thread_key(self, thread_id: str) -> Thread:
        """Return where a thread is stored."""
        return Thread(self.namespace, thread_id)

    def _served(self, graph: Graph) -> Served:
        served = self.registry.get(graph.name)
        if served is None:
            msg = (
                f"Graph '{graph.name}' is not registered on this backend: compile it with backend=."
            )
            raise LookupError(msg)
        return served

    def _current(self, graph: Graph) -> Served:
        """Return what is known of ``graph``; LookupError when another one has taken its place."""
        served = self._served(graph)
        if served.graph.fingerprint != graph.fingerprint:
            msg = (
                f"Graph '{graph.name}' was compiled again since, with other nodes or edges: call "
                "the one that was compiled last."
            )
            raise LookupError(msg)
        return served

    def thread_for(self, graph: Graph, *, fresh: bool) -> str:
        """Return a new thread's id for a run with a new input, which the log tells once.

        Raises ValueError for any other call that names no thread.
        """
        if not fresh:
            raise ValueError(UNNAMED)
        thread_id = str(uuid.uuid4())
        if not self._has_made_up:
            self._has_made_up = True
            log.warning(MADE_UP, graph.name, thread_id)
        return thread_id

    # --- running ---------------------------------------------------------------------------

    def now(self) -> int:
        """Return 0: workers act on the deadlines of questions, by the time of Redis."""
        return 0

    def events(self, job: Job) -> Generator[Event, None, None]:
        """Submit ``job`` and follow it to its end; what no worker has to carry is carried here."""
        if _is_kept_here(job):
            return self._local(job.graph).events(job)
        refuse_to_wait(self._served(job.graph), self.workers)
        return self._carrier.follow(self._whole(followed(job)))

    def aevents(self, job: Job) -> AsyncGenerator[Event, None]:
        """Do what ``events`` does."""
        if _is_kept_here(job):
            return self._local(job.graph).aevents(job)
        refuse_to_wait(self._served(job.graph), self.workers)
        return self._carrier.afollow(self._whole(followed(job)))

    def submit(self, job: Job) -> Run[Any]:
        """Start ``job`` and return its handle."""
        return self._handle(job, self._carrier.perform(self._submit(job)))

    async def asubmit(self, job: Job) -> Run[Any]:
        """Do what ``submit`` does."""
        return self._handle(job, await self._carrier.aperform(self._submit(job)))

    def _submit(self, job: Job) -> Flow:
        thread = self.thread_key(job.place.thread_id)
        if not job.run_id:
            job = replace(job, run_id=str(uuid.uuid4()))
            return self._relays.submitted(job, thread, self._begin(job))
        begin = once(self.registry, thread, job.run_id, self._begin(job))
        return self._relays.submitted(job, thread, begin)

    def _handle(self, job: Job, begun: Begun | FoundRun) -> Run[Any]:
        """Return the run's handle; raise what the input alone made impossible."""
        if isinstance(begun, FoundRun):
            return self._attached(self.thread_key(job.place.thread_id), begun)
        if begun.outcome is not None:
            conclude(Concluded("", begun.state, begun.outcome))
        place = self.thread_key(job.place.thread_id), job.graph.name
        shown = Shown(job.modes, job.subgraphs, about(job))
        return CeleryRun(self._carrier, self.registry, place, begun, shown)

    def _begin(self, job: Job) -> Flow:
        _refuse_subgraph(job.place)
        self._warn_of_callbacks(job)
        thread, run = self.thread_key(job.place.thread_id), job.run_id or str(uuid.uuid4())
        return starting.begin(job, self._current(job.graph), thread, run, self._metadata_keys)

    def _warn_of_callbacks(self, job: Job) -> None:
        known = handlers_in(self._served(job.graph).callbacks)
        lost = [each for each in unheard(job) if not any(each is one for one in known)]
        if lost and not self._has_unheard:
            self._has_unheard = True
            log.warning(UNHEARD, [type(each).__name__ for each in lost], job.graph.name)

    def _whole(self, job: Job) -> Flow:
        served, thread = self._served(job.graph), self.thread_key(job.place.thread_id)
        job = replace(job, run_id=job.run_id or str(uuid.uuid4()))
        return self._relays.followed(job, thread, self._to_the_end(job, served, thread))

    def _to_the_end(self, job: Job, served: Served, thread: Thread) -> Flow:
        begun: Begun = yield from self._begin(job)
        yield from following.follow(Watched(served, thread, begun.run), begun, job.modes, None)

    def saver(self, graph: Graph) -> RedisSaver:
        """Return a checkpointer of the threads of ``graph``, which knows its classes."""
        serde = self.registry.serializer(graph)
        return RedisSaver(self.ledger.client, namespace=self.namespace, serde=serde)

    def _local(self, graph: Graph) -> LocalBackend:
        """Return a runner over what is stored of threads."""
        return LocalBackend(self.saver(graph))

    def run(self, thread_id: str, run_id: str) -> Run[Any]:
        """Return the handle of a run that anybody started; ThreadNotFound when it is not known."""
        thread = self.thread_key(thread_id)
        return self._attached(thread, self._carrier.perform(attach(self.registry, thread, run_id)))

    async def arun(self, thread_id: str, run_id: str) -> Run[Any]:
        """Do what ``run`` does."""
        thread = self.thread_key(thread_id)
        flow = attach(self.registry, thread, run_id)
        return self._attached(thread, await self._carrier.aperform(flow))

    def _attached(self, thread: Thread, found: FoundRun) -> Run[Any]:
        return attached(self._carrier, self.registry, thread, found)

    # --- states ----------------------------------------------------------------------------

    def load(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what is stored at ``place``."""
        if place.ns:
            return self._local(graph).load(graph, place)
        state: ThreadState | None = self._carrier.perform(self._load(graph, place))
        return state

    async def aload(self, graph: Graph, place: Place) -> ThreadState | None:
        """Do what ``load`` does."""
        if place.ns:
            return await self._local(graph).aload(graph, place)
        state: ThreadState | None = await self._carrier.aperform(self._load(graph, place))
        return state

    def _load(self, graph: Graph, place: Place) -> Flow:
        wire, thread = self._served(graph).wire, self.thread_key(place.thread_id)
        _, state = yield from reading.load_state(wire, thread, place.checkpoint_id)
        return state

    def history(self, graph: Graph, place: Place, listing: Listing) -> Iterator[ThreadState]:
        """Return the stored states of a frame, newest first."""
        if place.ns:
            return self._local(graph).history(graph, place, listing)
        states: list[ThreadState] = self._carrier.perform(self._history(graph, place, listing))
        return iter(states)

    async def ahistory(
        self, graph: Graph, place: Place, listing: Listing
    ) -> AsyncIterator[ThreadState]:
        """Do what ``history`` does."""
        if place.ns:
            async for state in self._local(graph).ahistory(graph, place, listing):
                yield state
            return
        for state in await self._carrier.aperform(self._history(graph, place, listing)):
            yield state

    def _history(self, graph: Graph, place: Place, listing: Listing) -> Flow:
        thread = self.thread_key(place.thread_id)
        return reading.history(self._served(graph).wire, thread, place, listing)

    # --- looking at threads and workers ------------------------------------------------------

    def thread(self, thread_id: str) -> ThreadHandle:
        """Return a handle of one thread that needs no graph code."""
        return ThreadHandle(self._carrier, self.registry, self.thread_key(thread_id))

    def threads(  # noqa: PLR0913 filters of a list
        self,
        status: str | None = None,
        graph: str | None = None,
        limit: OneOrMore = 100,
        *,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str = "",
    ) -> list[ThreadInfo]:
        """List threads, the last changed first; ``after`` is the ``cursor`` of the page before.

        ``status`` is idle, busy, interrupted or error. ``metadata``: only those that have all of
        these. A key that is not among the setting ``metadata_keys`` is looked for in what the other
        filters leave, at most 10,000 threads. ``since`` and ``until``: only those that changed at
        or after the one and before the other. Raises ValueError when 10,000 are not enough, for an
        unknown status or cursor, a time without a time zone, and for a limit below 1.
        """
        flow = self._threads(Wanted(status, graph, metadata, since, until), limit, after)
        return self._carrier.perform(flow)

    async def athreads(  # noqa: PLR0913 filters of a list
        self,
        status: str | None = None,
        graph: str | None = None,
        limit: OneOrMore = 100,
        *,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str = "",
    ) -> list[ThreadInfo]:
        """Do what ``threads`` does."""
        flow = self._threads(Wanted(status, graph, metadata, since, until), limit, after)
        return await self._carrier.aperform(flow)

    def _threads(
        self, wanted: Wanted, limit: int, after: str
    ) -> Generator[Effect, Any, list[ThreadInfo]]:
        page = yield from list_threads(self.namespace, wanted, limit, after, self._metadata_keys)
        wire = self.registry.common_wire()
        return [info_of(wire, listed) for listed in page]

    def count_threads(
        self,
        status: str | None = None,
        graph: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Count the threads that ``threads`` would list; raises what that does."""
        wanted = Wanted(status, graph, metadata, since, until)
        flow = count_threads(self.namespace, wanted, self._metadata_keys)
        return self._carrier.perform(flow)

    async def acount_threads(
        self,
        status: str | None = None,
        graph: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Do what ``count_threads`` does."""
        wanted = Wanted(status, graph, metadata, since, until)
        flow = count_threads(self.namespace, wanted, self._metadata_keys)
        return await self._carrier.aperform(flow)

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Return the workers that were ever seen and did not leave; ``age`` says how long ago."""
        return self._carrier.perform(self._workers())

    async def aworkers(self) -> tuple[WorkerSeen, ...]:
        """Do what ``workers`` does."""
        return await self._carrier.aperform(self._workers())

    def _workers(self) -> Generator[Effect, Any, tuple[WorkerSeen, ...]]:
        workers: tuple[WorkerSeen, ...] = yield commands.workers(self.namespace)
        return workers

    def reach(self) -> None:
        """Raise BrokerUnavailable, with its address, unless the broker answers."""
        self._messenger.publisher.reach()

    async def areach(self) -> None:
        """Do what ``reach`` does."""
        await asyncio.to_thread(self.reach)


def _is_kept_here(job: Job) -> bool:
    """Whether no worker is needed: a node drives a thread, since none waits for another one.

    Or a caller writes into the frame of a called graph, which is at rest.
    """
    return _frame.running() is not None or bool(job.place.ns)


def _refuse_subgraph(place: Place) -> None:
    if place.ns:
        msg = "A run starts at the root graph: leave checkpoint_ns out of the config."
        raise ValueError(msg)
