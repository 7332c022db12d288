"""A whole installation for tests: Redis, a broker, worker processes, and a client's backend."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checkpoint_redis.keys import SHARDS, outboxes, planned
from checkpoint_redis.layout import TaskRow, TaskState
from tests.support.apps.served import register
from tests.support.celery_worker import CeleryWorker
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from workers import CeleryBackend

APP = "tests.support.apps.served"
QUICK: dict[str, Any] = {"lease": 10.0, "heartbeat": 0.5, "sweep": 0.3}


class Site:
    """`backend` and `graphs` are the client's; `settings` hold for it and for its workers."""

    def __init__(
        self, store: RedisServer, folder: Path, broker: RedisServer | None = None, **settings: Any
    ) -> None:
        self.store, self.broker = store, broker or store
        self.folder = folder
        self.namespace = f"t-{uuid.uuid4().hex[:16]}"
        self.settings = settings
        self.backend = self.client()
        self.graphs = register(self.backend)
        self.workers: list[CeleryWorker] = []

    def client(self) -> CeleryBackend:
        """Return a new backend, as another client process has it."""
        return CeleryBackend(
            self.store.url, broker=self.broker.url, namespace=self.namespace, **self.settings
        )

    @property
    def env(self) -> dict[str, str]:
        """What a worker process is told by its environment."""
        settings = {f"DISTGRAPH_{key.upper()}": str(self.settings[key]) for key in self.settings}
        return {
            "DISTGRAPH_REDIS": self.store.url,
            "DISTGRAPH_BROKER": self.broker.url,
            "DISTGRAPH_NAMESPACE": self.namespace,
            **settings,
        }

    def launch(self, env: dict[str, str] | None = None, **arguments: Any) -> CeleryWorker:
        """Start a worker and return at once, with CeleryWorker's arguments."""
        told = {**self.env, **(env or {})}
        worker = CeleryWorker(APP, folder=self.folder, env=told, **arguments)
        self.workers.append(worker)
        return worker

    def start(self, count: int = 1, **arguments: Any) -> list[CeleryWorker]:
        """Start `count` workers and return when they consume."""
        started = [self.launch(**arguments) for _ in range(count)]
        return [worker.wait_ready() for worker in started]

    def end(self) -> None:
        """End all workers, by force where they do not hurry."""
        for worker in self.leave():
            worker.end()

    def leave(self) -> list[CeleryWorker]:
        """Ask all workers to end, and return them: it takes them seconds."""
        leaving, self.workers = self.workers, []
        for worker in leaving:
            worker.ask_to_end()
        return leaving

    def settle(self, thread_id: str) -> str:
        """Return the status of a thread once it is no longer busy."""
        handle = self.backend.thread(thread_id)
        wait_until(lambda: handle.status != "busy", f"thread {thread_id} to settle")
        return handle.status

    # --- looking into Redis ------------------------------------------------------------------

    def messages(self, client: Any) -> list[bytes]:
        """Return every message that the broker holds for this site, unacknowledged ones too."""
        waiting = [m for key in self.queues(client) for m in client.lrange(key, 0, -1)]
        mine = self.namespace.encode()
        return [*waiting, *(m for m in client.hvals("unacked") if mine in m)]

    def queues(self, client: Any) -> list[bytes]:
        """Return the broker's lists of this site that hold messages."""
        return list(client.scan_iter(f"{self.namespace}.*", count=1000, _type="list"))

    def due(self, client: Any) -> list[str]:
        """Return all due entries as "ns|task|kind"."""
        return list(self.due_when(client))

    def due_when(self, client: Any) -> dict[str, float]:
        """Return when, in seconds since 1970, each entry is due: those of `due`."""
        found = {}
        for key in (key for shard in range(SHARDS) for key in planned(self.namespace, shard)):
            for member, score in client.zrange(key, 0, -1, withscores=True):
                found[bytes(member).decode().partition("|")[2]] = score / 1_000
        return found

    def parked(self, client: Any, thread_id: str) -> int:
        """Return how many tasks of a thread's root wait for graphs inside of them."""
        tasks = client.hgetall(self.backend.thread_key(thread_id).tasks(""))
        texts = (text for field, text in tasks.items() if field.startswith(b"t|"))
        return [TaskRow(*json.loads(text)).state for text in texts].count(TaskState.parked)

    def claimed(self, client: Any) -> list[TaskRow]:
        """Return the records of all tasks under a lease."""
        found = []
        for key in client.scan_iter(f"{self.namespace}{{*}}:*:s:*", count=1000, _type="hash"):
            fields = client.hgetall(key)
            records = (TaskRow(*json.loads(v)) for f, v in fields.items() if f.startswith(b"t|"))
            found += [record for record in records if record.state == TaskState.running]
        return found


@contextmanager
def site(
    store: RedisServer, folder: Path, broker: RedisServer | None = None, **settings: Any
) -> Iterator[Site]:
    """Give a site without workers; those that are started end with the block."""
    made = Site(store, folder, broker, **settings)
    try:
        yield made
    finally:
        made.end()


def on(thread_id: str, **more: Any) -> dict[str, Any]:
    """Return a config of that thread."""
    return {"configurable": {"thread_id": thread_id}, **more}


def put_off(client: Any, namespace: str, hours: int = 1) -> None:
    """Have no sweep look, for an hour, whether what is queued has lost its hints; or the next one.

    A queue that is found to be empty is another matter: it is filled again at once.
    """
    for key in (outboxes(namespace, shard) for shard in range(SHARDS)):
        for member in client.zrange(key, 0, -1):
            client.zincrby(key, hours * 3_600_000, member)


def lines(log: Path) -> list[str]:
    """Return what bodies noted so far; the last line may be half written."""
    text = log.read_text() if log.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()
