"""The engines that run one program: LangGraph as the reference, distgraph in all its drivers."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from checkpoint_redis.cache import RedisCache
from checkpoint_redis.store import RedisStore
from tests.support.waiting import wait_until

HOMES = {
    "StateGraph": "graph",
    "START": "graph",
    "END": "graph",
    "MessagesState": "graph",
    "add_messages": "graph",
    "push_message": "graph.message",
    "Send": "types",
    "Command": "types",
    "interrupt": "types",
    "Interrupt": "types",
    "GraphInterrupt": "errors",
    "NodeInterrupt": "errors",
    "NodeError": "errors",
    "RetryPolicy": "types",
    "Overwrite": "types",
    "CachePolicy": "types",
    "InMemoryCache": "cache.memory",
    "InMemorySaver": "checkpoint.memory",
    "SqliteSaver": "checkpoint.sqlite",
    "get_config": "config",
    "get_store": "config",
    "get_stream_writer": "config",
    "Runtime": "runtime",
    "RunControl": "runtime",
    "entrypoint": "func",
    "task": "func",
    "create_react_agent": "prebuilt",
    "InjectedState": "prebuilt",
    "InjectedStore": "prebuilt",
    "ToolNode": "prebuilt",
    "ToolRuntime": "prebuilt",
    "ValidationNode": "prebuilt",
    "tools_condition": "prebuilt",
    "Pregel": "pregel",
    "NodeBuilder": "pregel",
    "LastValue": "channels",
    "Topic": "channels",
    "EphemeralValue": "channels",
    "AnyValue": "channels",
    "LastValueAfterFinish": "channels",
    "NamedBarrierValue": "channels",
    "NamedBarrierValueAfterFinish": "channels",
    "UntrackedValue": "channels",
    "IsLastStep": "managed",
    "RemainingSteps": "managed",
    "BinaryOperatorAggregate": "channels",
    "GraphCallbackHandler": "callbacks",
}
"""Where both packages keep the names that programs use."""

SCOPE = "parity-"
"""What the ids of threads on a backend begin with, before 12 hex digits and a slash."""


class Client(Protocol):
    """A compiled graph behind one blocking surface, whatever drives it."""

    def invoke(self, given: Any, config: Any = None, **options: Any) -> Any: ...
    def stream(self, given: Any, config: Any = None, **options: Any) -> list[Any]: ...
    def get_state(self, config: Any, **options: Any) -> Any: ...
    def history(self, config: Any, **options: Any) -> list[Any]: ...
    def update_state(self, config: Any, values: Any, as_node: str | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Blocking:
    """Drives the blocking methods; `always` goes with every run."""

    graph: Any
    always: Mapping[str, Any]

    def invoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        return self.graph.invoke(given, config, **self.always, **options)

    def stream(self, given: Any, config: Any = None, **options: Any) -> list[Any]:
        return list(self.graph.stream(given, config, **self.always, **options))

    def get_state(self, config: Any, **options: Any) -> Any:
        return self.graph.get_state(config, **options)

    def history(self, config: Any, **options: Any) -> list[Any]:
        return list(self.graph.get_state_history(config, **options))

    def update_state(self, config: Any, values: Any, as_node: str | None = None) -> Any:
        return self.graph.update_state(config, values, as_node=as_node)


async def _gather(items: Any) -> list[Any]:
    return [item async for item in items]


def _run(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(call())


@dataclass(frozen=True, slots=True)
class Asyncio:
    """Drives the `a...` twins, each call in an event loop of its own."""

    graph: Any
    always: Mapping[str, Any]

    def invoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        return _run(lambda: self.graph.ainvoke(given, config, **self.always, **options))

    def stream(self, given: Any, config: Any = None, **options: Any) -> list[Any]:
        options = {**self.always, **options}
        chunks: list[Any] = _run(lambda: _gather(self.graph.astream(given, config, **options)))
        return chunks

    def get_state(self, config: Any, **options: Any) -> Any:
        return _run(lambda: self.graph.aget_state(config, **options))

    def history(self, config: Any, **options: Any) -> list[Any]:
        found: list[Any] = _run(lambda: _gather(self.graph.aget_state_history(config, **options)))
        return found

    def update_state(self, config: Any, values: Any, as_node: str | None = None) -> Any:
        return _run(lambda: self.graph.aupdate_state(config, values, as_node=as_node))


Settle = Callable[[str], None]
"""Waits until no task of a thread runs."""


@dataclass(frozen=True, slots=True)
class Scoped:
    """A client whose threads carry `scope` in their ids, in a store that many graphs share.

    A call that fails ends when the siblings of the failed task have: one that still ran would
    belong to the next call, and could fail it with what the config of this one says.
    """

    client: Client
    scope: str
    settle: Settle

    def invoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        placed = self._placed(config)
        try:
            return self.client.invoke(given, placed, **options)
        except Exception:
            if thread_id := _place(placed).get("thread_id"):
                self.settle(thread_id)
            raise

    def stream(self, given: Any, config: Any = None, **options: Any) -> list[Any]:
        return self.client.stream(given, self._placed(config), **options)

    def get_state(self, config: Any, **options: Any) -> Any:
        return self.client.get_state(self._placed(config), **options)

    def history(self, config: Any, **options: Any) -> list[Any]:
        return self.client.history(self._placed(config), **options)

    def update_state(self, config: Any, values: Any, as_node: str | None = None) -> Any:
        return self.client.update_state(self._placed(config), values, as_node=as_node)

    def _placed(self, config: Any) -> Any:
        """Return `config` in the scope; one that a snapshot gave has it already."""
        place = _place(config)
        name = str(place.get("thread_id", self.scope))
        if name.startswith(self.scope):
            return config
        return {**config, "configurable": {**place, "thread_id": f"{self.scope}{name}"}}


def _place(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = (config or {}).get("configurable", {})
    return found


class CompileOn(Protocol):
    """Compiles a builder for a backend and gives the graph; `settle` waits for its threads.

    `store` gives a store that its workers share.
    """

    def __call__(self, builder: Any, **options: Any) -> Any: ...
    def settle(self, thread_id: str) -> None: ...
    def store(self) -> Any: ...
    def cache(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Placing:
    """Compiles for `backend`, under names that count up from `prefix`.

    What compiles the same builders in the same order elsewhere finds the same names.
    """

    backend: Any
    prefix: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, builder: Any, **options: Any) -> Any:
        name = f"{self.prefix}-{next(self.numbers)}"
        return builder.compile(name=name, backend=self.backend, **options)

    def cache(self) -> Any:
        """Return a cache that the workers of the backend share."""
        return RedisCache(self.backend.settings.redis, namespace=self.backend.namespace)

    def settle(self, thread_id: str) -> None:
        """Wait until no task of the thread runs."""
        wait_until(lambda: not self._running(thread_id), f"the tasks of {thread_id} to end")

    def store(self) -> Any:
        """Return a store in the Redis of the backend, one for all that compile for it."""
        return RedisStore(self.backend.settings.redis, namespace=self.backend.namespace)

    def _running(self, thread_id: str) -> list[str]:
        loaded = self.backend.ledger.load(self.backend.thread_key(thread_id))
        return [task.tid for task in loaded.tasks if task.st == "R"] if loaded else []


@dataclass(frozen=True, slots=True)
class Engine:
    """A package and the driver that carries its graphs.

    Public names of the package are attributes: `engine.StateGraph`, `engine.Send`. With
    `compile_on` every graph is compiled by it instead of with a saver in memory. `durability` is
    that of all runs, whatever a program names.
    """

    name: str
    package: str
    client: Callable[[Any, Mapping[str, Any]], Client] = Blocking
    compile_on: CompileOn | None = None
    durability: str = ""

    @property
    def asynchronous(self) -> bool:
        """Whether nodes should be coroutine functions where the program leaves it open."""
        return self.client is Asyncio

    def __getattr__(self, name: str) -> Any:
        if name not in HOMES:
            raise AttributeError(name)
        return getattr(import_module(f"{self.package}.{HOMES[name]}"), name)

    def cache(self) -> Any:
        """An empty cache for graphs of this engine."""
        if self.compile_on is None:
            return self.InMemoryCache()
        made = self.compile_on.cache()
        made.clear()
        return made

    def store(self) -> Any:
        """Return a store in memory, or one that workers share, with what there is from before."""
        if self.compile_on is not None:
            return self.compile_on.store()
        return import_module(f"{self.package}.store.memory").InMemoryStore()

    def compile(
        self, builder: Any, *, saved: bool = True, durability: str = "sync", **options: Any
    ) -> Client:
        """Compile `builder` for this engine; without `saved` no state outlives a call."""
        if not saved:
            return self.client(builder.compile(**options), {})
        if self.compile_on is not None:
            always = {"durability": self.durability} if self.durability else {}
            client = self.client(self.compile_on(builder, **options), always)
            return Scoped(client, f"{SCOPE}{uuid.uuid4().hex[:12]}/", self.compile_on.settle)
        options.setdefault("checkpointer", self.InMemorySaver())
        # Saving while the next superstep runs, the reference may store a join as that superstep
        # leaves it.
        return self.client(
            builder.compile(**options), {"durability": self.durability or durability}
        )


LANGGRAPH = Engine("langgraph", "langgraph")
LANGGRAPH_ASYNC = Engine("langgraph-async", "langgraph", Asyncio)
DISTGRAPH = Engine("distgraph", "distgraph")
DISTGRAPH_ASYNC = Engine("distgraph-async", "distgraph", Asyncio)


def celery_engine(
    compile_on: CompileOn, client: Callable[[Any, Mapping[str, Any]], Client] = Blocking
) -> Engine:
    """distgraph with its graphs on the backend that `compile_on` compiles for."""
    return Engine("distgraph-celery", "distgraph", client, compile_on)
