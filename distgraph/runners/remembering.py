"""What nodes and called functions left before, on the same input, as a cache has it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from distgraph._caching import CachePolicy
from distgraph.cache.base import BaseCache, CacheNamespace, FullKey
from distgraph.checkpoint.pending import decode_left, encode_left
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.graph import Graph, Node
from distgraph.core.model import Completed, Task
from distgraph.errors import DeserializationError, SerializationError

PREFIX = "writes"
"""What the namespaces of results begin with."""


def namespace_of(node: Node, *, called: bool = False) -> CacheNamespace:
    """Return where a cache has what a node, or a function that tasks call, left."""
    own = _identified(node)
    return (PREFIX, own) if called else (PREFIX, own, node.name)


def _identified(node: Node) -> str:
    """Return module and name of what a node runs."""
    action: Any = node.callee.call or node.callee.acall
    action = getattr(action, "function", action)
    while isinstance(action, functools.partial):
        action = action.func
    if inspect.ismethod(action) and action.__name__ in ("invoke", "ainvoke"):
        action = type(action.__self__)
    named = action if hasattr(action, "__qualname__") else type(action)
    inner = f" {node.callee.graph.name}" if node.callee.graph else ""
    return f"{named.__module__}.{named.__qualname__}{inner}"


def recall(cache: BaseCache[bytes], graph: Graph) -> Remembering:
    """Return ``cache`` as the tasks of ``graph`` use it in this process."""
    return Remembering(cache, _serializer(graph.schema_types))


@functools.lru_cache(maxsize=1024)
def _serializer(schemas: tuple[Any, ...]) -> JsonPlusSerializer:
    return JsonPlusSerializer(allowed=classes_of(*schemas), learn=True)


@dataclass(frozen=True, slots=True)
class Remembering:
    """A cache as the tasks of a run use it; ``serializer`` knows the classes of their graph."""

    cache: BaseCache[bytes]
    serializer: JsonPlusSerializer

    def of(self, task: Task, node: Node, policy: CachePolicy, given: Any) -> Remembered:
        """Return what is to be looked up of a task that gets ``given``.

        Raises TypeError for a key that is neither text nor bytes, and for an input that has none.
        """
        called = task.caller is not None
        key = self._key(node, policy, given, called=called)
        digest = blake2b(key, digest_size=16).hexdigest()
        return Remembered(self, (namespace_of(node, called=called), digest), policy.ttl)

    def _key(self, node: Node, policy: CachePolicy, given: Any, *, called: bool) -> bytes:
        if policy.key_func is None:
            return self._written(node, given)
        args, kwargs = given if called else ((given,), {})
        match policy.key_func(*args, **kwargs):
            case str() as text:
                return text.encode("utf-8", "surrogatepass")
            case bytes() as key:
                return key
            case other:
                msg = f"key_func of '{node.name}' must return text or bytes, not {other!r}."
                raise TypeError(msg)

    def _written(self, node: Node, given: Any) -> bytes:
        try:
            return self.serializer.dumps(given)
        except SerializationError as error:
            msg = (
                f"What '{node.name}' gets cannot be a key of the cache: {error} Say what counts as "
                "equal by CachePolicy(key_func=...), or leave its cache_policy out."
            )
            raise TypeError(msg) from error


@dataclass(frozen=True, slots=True)
class Remembered:
    """The place of a result in a cache."""

    remembering: Remembering
    key: FullKey
    ttl: int | None

    def find(self, _: Any) -> Completed | None:
        """Return the result that is kept."""
        return self._read(self.remembering.cache.get([self.key]).get(self.key))

    async def afind(self, _: Any) -> Completed | None:
        """Do what ``find`` does."""
        found = await self.remembering.cache.aget([self.key])
        return self._read(found.get(self.key))

    def keep(self, result: Completed) -> None:
        """Keep a result."""
        self._put(self.remembering.cache.set, result)

    async def akeep(self, result: Completed) -> None:
        """Do what ``keep`` does."""
        put = self._put(self.remembering.cache.aset, result)
        if put is not None:
            await put

    def _put(self, put: Callable[[Any], Any], result: Completed) -> Any:
        """Hand a result to the cache; one that cannot be stored is not kept."""
        writes = [list(write) for write in encode_left(result)]
        try:
            stored = self.remembering.serializer.dumps(writes)
        except SerializationError:
            return None
        return put({self.key: (stored, self.ttl)})

    def _read(self, stored: Any) -> Completed | None:
        """Return a result, None for what is not there, or was written by somebody else."""
        if not isinstance(stored, bytes):
            return None
        try:
            writes = self.remembering.serializer.loads(stored)
        except DeserializationError:  # of a class that this process does not know
            return None
        result = decode_left([(channel, value) for channel, value in writes])
        return replace(result, cached=True) if isinstance(result, Completed) else None
