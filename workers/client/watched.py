"""A run that somebody looks at."""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis.keys import Thread

from ..shared.served import Served


@dataclass(frozen=True, slots=True)
class Watched:
    """A run of a graph that is known here."""

    served: Served
    thread: Thread
    run: str

    @property
    def key(self) -> tuple[str, str]:
        """The run as streams of ends name it."""
        return self.thread.x, self.run
