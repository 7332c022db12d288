"""What queues of a namespace are called at the broker, so that two of them never meet in one."""

from __future__ import annotations


def full(namespace: str, queue: str) -> str:
    """Return the name of a queue at the broker; one that has the namespace already is that name."""
    beginning = f"{namespace}."
    return queue if queue.startswith(beginning) else beginning + queue


def short(namespace: str, name: str) -> str | None:
    """Return a queue's name without its namespace, None where ``full`` does not lead back."""
    bare = name.removeprefix(f"{namespace}.")
    return bare if bare and bare != name and full(namespace, bare) == name else None
