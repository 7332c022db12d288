"""What a worker process has for all its jobs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from checkpoint_redis.ledger import Ledger
from distgraph.errors import JobFailed

from ..broker.eager import do_later
from ..broker.publisher import CeleryPublisher
from ..settings import Settings
from ..shared.clients import Clients
from ..shared.dispatched import Dispatched
from ..shared.hints import Hint
from ..shared.served import Registry
from .audience import Audience
from .backoffs import MARGIN, Backoffs
from .bulletin import Bulletin
from .dropped import Dropped
from .emitter import Emissions
from .installation import Installation
from .leases import Leases
from .loop import Loop
from .meeting import Meetings
from .overdue import Overdue
from .segments import Segments


class Office:
    """The parts that jobs work with.

    ``worker``: the name of this one. ``owner``: in whose name tasks are claimed. ``refused``:
    graphs that it was asked for and has not got. ``in_place``: which calls were told to be no jobs
    of their own. ``dropped``: messages that led to nothing.
    ``meetings``: queues in which there are jobs of other namespaces.
    ``report`` is told of failures whose job, of that id, has returned.
    """

    def __init__(
        self, settings: Settings, clients: Clients, registry: Registry, publisher: CeleryPublisher
    ) -> None:
        self.settings: Final = settings
        self.registry: Final = registry
        self.publisher: Final = publisher
        self._clients = clients
        self.leases: Final = Leases(
            self.steady, settings.namespace, settings.lease_ms, settings.heartbeat
        )
        self.dispatched: Final = Dispatched(self.ledger)
        self.emissions: Final = Emissions(self.ledger)
        self.loop: Final = Loop(settings.async_concurrency, self._loop_broke)
        self.bulletin: Final = Bulletin()
        self.overdue: Overdue = Overdue(settings, self.ledger, registry, publisher)
        self.installation: Final = Installation(self.ledger, settings.namespace)
        self.backoffs: Final = Backoffs(self.overdue.sweep_tasks)
        self.owner: str = socket.gethostname()
        self._pid = os.getpid()
        self._is_employed = False
        self.segments: Final = Segments()
        self.time_limit: float | None = None
        self.refused: set[str] = set()
        self.in_place: set[str] = set()
        self.report: Callable[[str, Hint, JobFailed], None] = _untold
        self.audience: Final = Audience()
        self.worker: str = self.owner
        self.dropped: Final = Dropped()
        self.meetings: Final = Meetings(settings.namespace)

    def ledger(self) -> Ledger:
        """Return this process's ledger, which goes on trying while Redis is away for a while."""
        return self._clients.patient()

    def steady(self) -> Ledger:
        """Return this process's ledger for what it holds: work that is done is not lost.

        It goes on trying for as long as Redis is away, and for a while once the worker is to end.
        """
        return self._clients.steady(self._works)

    def _works(self) -> bool:
        """Whether this process is a worker's that goes on."""
        return self._is_employed and self.bulletin.ends_at is None

    def sweep_after(self, delay: float, shard: int, tid: str, name: str) -> None:
        """Have the back-off of a task in ``shard`` noticed that ends in ``delay`` seconds.

        A long one is the sweeper's, where there is one. ``name`` is what its job is called.
        """
        self.overdue.labels.note(tid, name)
        look = partial(self.overdue.sweep_tasks, (shard,))
        if not do_later(look, delay + MARGIN) and delay < self.settings.sweep:
            self.backoffs.add(shard, delay)

    def employ(self, worker: str, time_limit: float | None = None) -> None:
        """Have the jobs of this process, and of those that it forks, done as ``worker``'s.

        ``time_limit``: after how many seconds it ends a job.
        """
        self.time_limit, self.worker = time_limit, worker
        self.bulletin.renew()
        self._is_employed = True
        self.publisher.work()
        self.loop.open()
        self._pid = os.getpid()
        self.owner = f"{worker}/{self._pid}"

    def _loop_broke(self) -> None:
        """Let go what ran there; a process of a pool ends: it would take jobs and not do them.

        What breaks a loop, files that are closed, took its connection to the main process too.
        """
        if os.getpid() != self._pid:
            os._exit(os.EX_SOFTWARE)
        self.leases.abandon_coroutines()


def _untold(job: str, hint: Hint, failed: JobFailed) -> None:
    """Tell nobody: there is no Celery task yet."""
