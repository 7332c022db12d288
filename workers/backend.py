"""CeleryBackend: puts together what a caller and a worker work with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from celery import Celery
from typing_extensions import Unpack

from distgraph._allowed import OneOrMore
from distgraph._checked import checked
from distgraph.graph.compiled import Pregel

from .addresses import is_store
from .broker.publisher import CeleryPublisher
from .broker.settings import consume, own_app, refuse_deaf, refuse_unreadable, renew_queues
from .client.carrier import Messenger
from .client.client import Client
from .settings import MoreSettings, Settings
from .shared.clients import Clients
from .shared.dispatched import Dispatched
from .shared.inner import queues_named
from .shared.memory import refuse_memory
from .shared.queue_names import full
from .shared.served import Registry
from .worker.bootstep import add_bootstep
from .worker.inside import Untouched, WorkerInside
from .worker.office import Office
from .worker.task import add_task


class EmbeddedSettings(MoreSettings, total=False):
    """What a backend with a Redis of its own may be told: all but where that is."""

    broker: str | None
    app: Celery | None
    namespace: str | None
    types: Iterable[type]


@checked
class CeleryBackend(Client):
    """Runs graphs on Celery workers and keeps their threads in Redis.

    ``redis``: where threads live. ``broker``: what Celery speaks to, by default the same Redis.
    ``app``: an existing Celery application to add the jobs to; only their own options are set.
    ``types``: classes, besides those of the state schemas, that stored values may be made of.
    ``settings``: further fields of ``Settings``. Nothing is opened until it is needed. Raises
    pydantic's ValidationError for settings that make no sense, ValueError for an application whose
    workers would not take our jobs, TypeError for a class that cannot be stored.

    ``backend.app`` is the application: ``celery -A module worker`` finds it as ``module.app``. A
    ``with`` block around what makes use of the backend closes it at its end.
    """

    ends_blocking: ClassVar[bool] = True
    """A node that blocks may have a time limit, which workers of processes keep."""

    def __init__(
        self,
        redis: str | None = None,
        *,
        broker: str | None = None,
        app: Celery | None = None,
        namespace: str | None = None,
        types: Iterable[type] = (),
        **settings: Unpack[MoreSettings],
    ) -> None:
        named = {"redis": redis, "broker": broker, "namespace": namespace}
        given: dict[str, Any] = {**named, **settings}
        self.settings: Final = Settings(**{k: v for k, v in given.items() if v is not None})
        namespace, reach = self.settings.namespace, self.settings.reach
        self.owns_app: Final = app is None
        if app is not None:
            refuse_deaf(app)
            refuse_unreadable(app)
        self.app: Celery = app or own_app(namespace, self.settings.celery)
        task = f"{namespace}.step"
        publisher = CeleryPublisher(self.app, task, reach)
        clients = Clients(self.settings.store, reach, namespace)
        registry = Registry(types, self.settings.max_value_bytes)
        apart = app is not None or not is_store(self.settings.celery, self.settings.store)
        messenger = Messenger(publisher, Dispatched(lambda: clients.ledger().once()), apart)
        super().__init__(namespace, clients, registry, messenger, self.settings.metadata_keys)
        self.office: Final = Office(self.settings, clients, registry, publisher)
        step = add_task(self.app, task, self.office)
        add_bootstep(self.app, self.office, step, own=self.owns_app)
        self._inside = WorkerInside(self.app, self.office)
        self._embedded: Any = None

    @classmethod
    def embedded(
        cls, folder: str | Path | None = None, **settings: Unpack[EmbeddedSettings]
    ) -> Self:
        """Return a backend that needs no server: a real Redis of its own, kept in ``folder``.

        Several processes may share a folder; the last to leave stops the server, the data stays.
        """
        from .embedded import join  # noqa: PLC0415 an optional extra

        membership = join(Path(folder) if folder else None)
        try:
            backend = cls(membership.url, **settings)
        except Exception:
            membership.leave()
            raise
        backend._embedded = membership
        return backend

    def close(self) -> None:
        """Leave the embedded Redis, if there is one."""
        if self._embedded is not None:
            self._embedded.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def register(self, compiled: Pregel) -> None:
        """Make ``compiled`` known under its name.

        ValueError when another graph has it, or for a store in memory that workers do not share.
        """
        if not self._inside.shares_memory:
            refuse_memory(compiled)
        graph, context = compiled.graph, compiled.builder.context_schema
        if not self.owns_app:
            queue = self.app.conf.task_default_queue
            self.registry.add(graph, context, queue, compiled=compiled)
            return
        named = queues_named(graph)
        routes = {queue: full(self.namespace, queue) for queue in named}
        own = f"{self.namespace}.{compiled.name}"
        self.registry.add(graph, context, own, routes, compiled)
        consume(self.app, self.namespace, self.registry.queues())
        self._inside.consume(self.registry.queues())

    def worker(
        self, pool: str = "threads", concurrency: OneOrMore = 2
    ) -> AbstractContextManager[Any]:
        """Run a real Celery worker inside this process for the duration of a ``with`` block.

        For tests and notebooks: graphs made of closures and local functions work there, also those
        that are compiled inside the block. One at a time in a process: RuntimeError for a second.
        ValueError for a concurrency below 1.
        """
        return Untouched(self._worker(pool, concurrency))

    @contextmanager
    def _worker(self, pool: str, concurrency: int) -> Iterator[Any]:
        if self.owns_app:
            consume(self.app, self.namespace, self.registry.queues())
            renew_queues(self.app)
        with self._inside.worker(pool, concurrency) as worker:
            yield worker

    def __repr__(self) -> str:
        return f"CeleryBackend(namespace={self.namespace!r})"
