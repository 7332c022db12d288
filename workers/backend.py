"""CeleryBackend: supersteps as Celery jobs, threads in Redis."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from celery import Celery
from kombu import Queue

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from checkpoint_redis.replies import WorkerSeen
from checkpoint_redis.saver import RedisSaver
from distgraph import _frame
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.events import Event
from distgraph.runners.backend import Job, Listing, Place
from distgraph.runners.local import LocalBackend
from workers.broker.publisher import CeleryPublisher
from workers.broker.settings import broker_url, own_app
from workers.client import following, reading, starting
from workers.client.flows import AsyncMeans, Flow, Means, acarry, atold, carry, told
from workers.client.run import Run
from workers.client.starting import Begun
from workers.client.threads import ThreadHandle, ThreadInfo, list_threads
from workers.settings import Settings
from workers.shared.clients import Clients
from workers.shared.served import Registry, Served
from workers.worker.backoffs import Backoffs
from workers.worker.bootstep import add_bootstep
from workers.worker.caretaker import Caretaker
from workers.worker.desk import Office, nonce, sweep_now
from workers.worker.dispatched import Dispatched
from workers.worker.inside import consume, worker_inside
from workers.worker.leases import Leases
from workers.worker.loop import Loop
from workers.worker.task import add_task


class CeleryBackend:
    """Runs graphs on Celery workers and keeps their threads in Redis.

    ``redis``: where threads live. ``broker``: what Celery speaks to, by default the same Redis.
    ``app``: an existing Celery application to add the jobs to; only their own options are set.
    ``types``: classes, besides those of the state schemas, that stored values may be made of.
    ``settings``: further fields of ``Settings``. Nothing is opened until it is needed. Raises
    pydantic's ValidationError for settings that make no sense.
    """

    durable = True

    def __init__(
        self,
        redis: str | None = None,
        *,
        broker: str | None = None,
        app: Celery | None = None,
        namespace: str | None = None,
        types: Iterable[type] = (),
        **settings: Any,
    ) -> None:
        given = {"redis": redis, "broker": broker, "namespace": namespace, **settings}
        self.settings = Settings(**{k: v for k, v in given.items() if v is not None})
        self.namespace = self.settings.namespace
        self.registry = Registry(types, self.settings.max_value_bytes)
        self.loop = Loop(self.settings.async_concurrency)
        self._brought = app
        self._embedded: Any = None
        self._inside: list[Any] = []
        self._clients = Clients(self.settings.redis, self.settings.reach, self.namespace)
        self._publisher = CeleryPublisher(lambda: self.app, self._task_name, self.settings.reach)
        self._office = self._new_office()

    @classmethod
    def embedded(cls, folder: str | Path | None = None, **settings: Any) -> Self:
        """Return a backend that needs no server: a real Redis of its own, kept in ``folder``.

        Several processes may share a folder; the last to leave stops the server, the data stays.
        """
        from workers.embedded.membership import join  # noqa: PLC0415 an optional extra

        lease = join(Path(folder) if folder else None)
        try:
            backend = cls(lease.url, **settings)
        except Exception:
            lease.leave()
            raise
        backend._embedded = lease
        return backend

    def close(self) -> None:
        """Leave the embedded Redis, if there is one."""
        if self._embedded is not None:
            self._embedded.leave()

    # --- the Celery side -------------------------------------------------------------------

    @property
    def broker(self) -> str:
        """The broker's URL, as kombu spells it."""
        return broker_url(self.settings.broker or self.settings.redis)

    @property
    def _task_name(self) -> str:
        return f"{self.namespace}.step"

    @cached_property
    def app(self) -> Celery:
        """The Celery application: ``celery -A module worker`` finds it as ``module.app``."""
        app = self._brought or own_app(f"distgraph.{self.namespace}", self.broker)
        task = add_task(app, self._task_name, lambda: self._office)
        add_bootstep(app, self, task)
        if self._brought is None:
            app.conf.task_default_queue = f"{self.namespace}.default"
            self._consume(app)
        return app

    def _consume(self, app: Celery) -> None:
        """Let workers of our own application consume the queues of all registered graphs."""
        names = dict.fromkeys((f"{self.namespace}.default", *self.queues()))
        app.conf.task_queues = [Queue(name, routing_key=name) for name in names]

    def queues(self) -> tuple[str, ...]:
        """Return the queues that the registered graphs' tasks go to."""
        found = []
        for served in self.registry.all():
            found.append(served.queue or "celery")
            found += [node.queue for node in served.graph.nodes.values() if node.queue]
        return tuple(dict.fromkeys(found))

    def register(self, compiled: Any) -> None:
        """Make ``compiled`` known under its name; ValueError when another graph has it."""
        ours = f"{self.namespace}.{compiled.name}"
        queue = self._brought.conf.task_default_queue if self._brought else ours
        self.registry.add(compiled.graph, compiled.builder.context_schema, queue)
        if "app" in self.__dict__ and self._brought is None:
            self._consume(self.app)
            for worker in self._inside:
                consume(worker, self.queues())

    @property
    def owns_app(self) -> bool:
        """Whether the Celery application was made here, and is not the user's."""
        return self._brought is None

    def _new_office(self) -> Office:
        lease_ms, every = self.settings.lease_ms, self.settings.heartbeat
        return Office(
            ledger=self._worker_ledger,
            registry=self.registry,
            settings=self.settings,
            leases=Leases(self._worker_ledger, self.namespace, lease_ms, every),
            dispatched=Dispatched(self._worker_ledger),
            publish=self._publisher.publish,
            spawn=self.loop.spawn,
            backoffs=Backoffs(lambda shard: sweep_now(self._office, shard)),
            owner=socket.gethostname(),
        )

    def employ(self, worker: str) -> None:
        """Have the jobs of this process, and of those that it forks, done as ``worker``'s."""
        self._office = replace(self._office, owner=f"{worker}/{os.getpid()}")

    @cached_property
    def caretaker(self) -> Caretaker:
        """What workers do beside their jobs."""
        return Caretaker(lambda: self.app, lambda: self._office, self.loop, self.queues)

    def _worker_ledger(self) -> Ledger:
        return self._clients.ledger(patient=True)

    @contextmanager
    def worker(self, pool: str = "threads", concurrency: int = 2) -> Iterator[Any]:
        """Run a real Celery worker inside this process for the duration of a ``with`` block.

        For tests and notebooks: graphs made of closures and local functions work there, also those
        that are compiled inside the block. One at a time in a process: RuntimeError for a second.
        """
        with worker_inside(self.app, pool, concurrency) as worker:
            self._inside.append(worker)
            try:
                yield worker
            finally:
                self._inside.remove(worker)

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Return the workers that were ever seen and did not leave; ``seen`` says when."""
        return self._clients.ledger().workers(self.namespace)

    # --- carrying jobs ---------------------------------------------------------------------

    def _means(self) -> Means:
        return Means(self._clients.ledger(), self._clients.waiting(), self._publisher)

    def _async_means(self) -> AsyncMeans:
        return AsyncMeans(*self._clients.on_loop(), self._publisher)

    def _served(self, graph: Graph) -> Served:
        served = self.registry.get(graph.name)
        if served is None:
            msg = (
                f"Graph '{graph.name}' is not registered on this backend: compile it with backend=."
            )
            raise LookupError(msg)
        return served

    def thread_key(self, thread_id: str) -> Thread:
        """Return where a thread is stored."""
        return Thread(self.namespace, thread_id)

    def _begin(self, job: Job) -> Flow:
        _refuse_subgraph(job.place)
        run = str(uuid.uuid4())
        return starting.begin(
            job, self._served(job.graph), self.thread_key(job.place.thread_id), run
        )

    def _whole(self, job: Job) -> Flow:
        begun = yield from self._begin(job)
        yield from self.following(job.graph, job.place.thread_id, begun, modes=job.modes)

    def events(self, job: Job) -> Iterator[Event]:
        """Submit ``job`` and follow it to its end; inside a node, carry it right there."""
        if _frame.running() is not None:
            return self._local(job.graph).events(job)
        return self.follow(self._whole(job))

    def aevents(self, job: Job) -> AsyncIterator[Event]:
        """Do what ``events`` does on the running loop."""
        if _frame.running() is not None:
            return self._local(job.graph).aevents(job)
        return self.afollow(self._whole(job))

    def _local(self, graph: Graph) -> LocalBackend:
        """Return a runner for a thread that a node drives: no worker waits for another."""
        serde = self._served(graph).wire.serializer
        client = self._clients.ledger().client
        return LocalBackend(RedisSaver(client, namespace=self.namespace, serde=serde))

    def submit(self, compiled: Any, job: Job) -> Run:
        """Start ``job`` and return its handle."""
        begun: Begun = self.perform(self._begin(job))
        return Run(self, compiled, job, begun)

    async def asubmit(self, compiled: Any, job: Job) -> Run:
        """Do what ``submit`` does."""
        begun: Begun = await acarry(self._begin(job), self._async_means())
        return Run(self, compiled, job, begun)

    def following(
        self,
        graph: Graph,
        thread_id: str,
        begun: Begun,
        timeout: float | None = None,
        modes: frozenset[str] = frozenset(),
    ) -> Flow:
        """Tell what happens in a run, from its beginning on, for ``timeout`` seconds at most."""
        thread = self.thread_key(thread_id)
        return following.follow(self._served(graph), thread, begun, modes, timeout)

    def follow(self, flow: Flow) -> Iterator[Event]:
        """Carry ``flow`` and pass on what it tells."""
        return told(flow, self._means())

    def afollow(self, flow: Flow) -> AsyncIterator[Event]:
        """Do what ``follow`` does on the running loop."""
        return atold(flow, self._async_means(), [])

    # --- looking at threads ----------------------------------------------------------------

    def load(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what is stored at ``place``."""
        state: ThreadState | None = self.perform(self._load(graph, place))
        return state

    async def aload(self, graph: Graph, place: Place) -> ThreadState | None:
        """Do what ``load`` does."""
        state: ThreadState | None = await acarry(self._load(graph, place), self._async_means())
        return state

    def _load(self, graph: Graph, place: Place) -> Flow:
        thread = self.thread_key(place.thread_id)
        wire = self._served(graph).wire
        _, state = yield from reading.load_state(wire, thread, place.checkpoint_id)
        return state

    def history(self, graph: Graph, place: Place, listing: Listing) -> Iterator[ThreadState]:
        """Return the stored states of a thread, newest first."""
        states: list[ThreadState] = self.perform(self._history(graph, place, listing))
        return iter(states)

    async def ahistory(
        self, graph: Graph, place: Place, listing: Listing
    ) -> AsyncIterator[ThreadState]:
        """Do what ``history`` does."""
        for state in await acarry(self._history(graph, place, listing), self._async_means()):
            yield state

    def _history(self, graph: Graph, place: Place, listing: Listing) -> Flow:
        thread = self.thread_key(place.thread_id)
        return reading.history(self._served(graph).wire, thread, place, listing)

    def run_status(self, thread_id: str, run: str) -> str:
        """Return how a run stands; 'unknown' when it is not known any more."""
        outcome = self._clients.ledger().outcome(self.thread_key(thread_id), run)
        return outcome.status if outcome else "unknown"

    def cancel(self, thread_id: str, run: str = "") -> bool:
        """Cancel ``run``, or whichever the thread has; False when there is none to cancel."""
        changed = self._clients.ledger().cancel(self.thread_key(thread_id), run, ep=nonce())
        return changed.status == "cancelled"

    def thread(self, thread_id: str) -> ThreadHandle:
        """Return a handle of one thread that needs no graph code."""
        return ThreadHandle(self, thread_id)

    def threads(
        self, status: str | None = None, graph: str | None = None, limit: int = 100
    ) -> list[ThreadInfo]:
        """List threads, longest in their status first: idle, busy, interrupted or error.

        Without ``status``, all threads are scanned. Raises ValueError for an unknown status.
        """
        return list_threads(self, status, graph, limit)

    @property
    def ledger(self) -> Ledger:
        """The store's commands, as a client uses them."""
        return self._clients.ledger()

    def perform(self, flow: Flow) -> Any:
        """Carry a flow that tells nothing."""
        return carry(flow, self._means())

    def __repr__(self) -> str:
        return f"CeleryBackend(namespace={self.namespace!r})"


def _refuse_subgraph(place: Place) -> None:
    if place.ns:
        msg = "A run starts at the root graph: leave checkpoint_ns out of the config."
        raise ValueError(msg)
