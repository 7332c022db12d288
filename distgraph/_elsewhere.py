"""What LangGraph has and distgraph has not, or elsewhere: whoever imports it is told what to use.

Loaded with the package, so it holds no more than the table, and what looks into it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

_PACKAGE = "distgraph"
_STREAMS = (
    "streams are shown by graph.stream(stream_mode=[...], subgraphs=True, version='v2'), on "
    "workers too; there are no stream_events of version v3"
)
_ITS_OWN = "no part of its interface, and is built otherwise here: see docs/design.md"
_SQLITE_STORE = (
    "there is no store in SQLite: use InMemoryStore of distgraph.store.memory in one process, or "
    "RedisStore of checkpoint_redis.store"
)
MODULES: Mapping[str, str] = {
    "cache.redis": "use RedisCache of checkpoint_redis.cache",
    "cache.sqlite": "there is no cache in SQLite: use InMemoryCache of distgraph.cache.memory in "
    "one process, or RedisCache of checkpoint_redis.cache",
    "channels.delta": "a list that a reducer appends to is stored as what was appended already: "
    "annotate its key with that reducer instead of DeltaChannel",
    "checkpoint.postgres": "threads are stored in memory, SQLite or Redis: use RedisSaver of "
    "checkpoint_redis.saver, or compile(name=..., backend=CeleryBackend(...))",
    "checkpoint.redis": "use RedisSaver of checkpoint_redis.saver, for a plain Redis",
    "checkpoint.serde.event_hooks": "what is stored is checked when it is written, and nothing is "
    "told of what is read: wrap a SerializerProtocol of distgraph.checkpoint.serde.base",
    "checkpoint.sqlite.utils": f"what is in it is {_ITS_OWN}",
    "graph.ui": "parts of a user interface are messages of your own: stream them by "
    "get_stream_writer() of distgraph.config, or push_message() of distgraph.graph.message",
    "pregel.debug": "use graph.stream(stream_mode='debug'), or 'tasks' and 'checkpoints'",
    "pregel.main": "import Pregel and NodeBuilder from distgraph.pregel",
    "pregel.protocol": "every graph is a Pregel of distgraph.pregel",
    "pregel.remote": "a graph on workers is called as any other, from any process: "
    "compile(name=..., backend=CeleryBackend(...)), with CeleryBackend of workers",
    "pregel.types": "import it from distgraph.types",
    "store.postgres": "use RedisStore of checkpoint_redis.store",
    "store.redis": "use RedisStore of checkpoint_redis.store, for a plain Redis",
    "store.sqlite": _SQLITE_STORE,
    "stream": _STREAMS,
    "utils": f"what is in it is {_ITS_OWN}",
    "version": "use importlib.metadata.version('distgraph')",
    "warnings": "nothing here is deprecated: Python's own warnings are used",
}
"""By the name of a module, which stands for those in it, what to use in its place."""


class _Explains:
    """The last of the finders: for a module that none of them has found and that is known here."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        """Raise ModuleNotFoundError, which says what to use; return None for what is not known."""
        del path, target
        package, _, name = fullname.partition(".")
        if package == _PACKAGE and (told := instead_of(name)):
            msg = f"distgraph has no module '{fullname}' as LangGraph has: {told}."
            raise ModuleNotFoundError(msg, name=fullname)


def instead_of(name: str) -> str:
    """Return what to use instead of a module of that name inside of the package; '' if unknown."""
    while name not in MODULES and name:
        name = name.rpartition(".")[0]
    return MODULES.get(name, "")


def explain() -> None:
    """Have imports of what is known here say what to use."""
    if not any(isinstance(finder, _Explains) for finder in sys.meta_path):
        sys.meta_path.append(_Explains())
