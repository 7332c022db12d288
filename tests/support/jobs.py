"""Jobs one by one, without Celery: what would go to a broker is kept here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.redis_server import RedisServer
from workers import CeleryBackend
from workers.shared.hints import Hint, Outgoing, read


class Bench:
    """A backend whose messages are kept here instead of going to a broker."""

    def __init__(self, server: RedisServer, namespace: str) -> None:
        self.backend = CeleryBackend(server.url, namespace=namespace)
        self.sent: list[Outgoing] = []
        self.office = self.backend.office
        setattr(self.office.publisher, "publish", self.sent.extend)  # noqa: B010 not the broker

    def hint(self) -> Hint:
        """Return one message for all tasks that were published since."""
        hints = [found for found in (read(list(out.args)) for out in self.sent) if found]
        self.sent.clear()
        return replace(hints[0], tids=tuple(tid for hint in hints for tid in hint.tids))


def on(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}
