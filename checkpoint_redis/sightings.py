"""What is seen of workers, shards, the server; ``replies.py`` has what scripts say of threads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker as it told of itself; graphs as "name@fp".

    ``seen`` is when, in seconds since 1970, and ``age`` how many seconds ago, both by the clock of
    Redis. ``queues`` are those that it consumed then. ``format``: the highest that it reads.
    ``parts``: graphs of which it consumed queues of nodes alone. ``met``: the queues in which it
    met jobs of another namespace of late, with that.
    """

    name: str
    seen: float
    age: float
    version: str
    queues: tuple[str, ...]
    graphs: tuple[str, ...]
    format: int = 1
    parts: tuple[str, ...] = ()
    met: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Glance:
    """Shards of which something is due, and shards of which something waits to be claimed."""

    due: tuple[int, ...]
    waiting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RedisInfo:
    """What matters of a server; sizes in bytes, ``max_bytes`` 0 = no limit."""

    version: str
    policy: str
    appendonly: bool
    used_bytes: int
    max_bytes: int
