"""What only one process has, and so none of the others that run tasks."""

from __future__ import annotations

from distgraph.graph.compiled import Pregel

from .inner import stores_of


def refuse_memory(compiled: Pregel) -> None:
    """Raise ValueError for a graph, or one inside it, with a store in this process's memory."""
    stores = stores_of(compiled)
    if not stores:
        return
    from distgraph.store.memory import InMemoryStore  # noqa: PLC0415 few graphs have a store

    if any(isinstance(store, InMemoryStore) for store in stores):
        msg = (
            f"Graph '{compiled.name}' has an InMemoryStore, which its workers do not share: "
            "give it a store that they reach, such as checkpoint_redis.store.RedisStore(url). "
            "In a test, compile it inside of `with backend.worker():`, whose tasks run in this "
            "process."
        )
        raise ValueError(msg)
