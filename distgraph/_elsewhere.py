"""What LangGraph has and distgraph has not, or elsewhere: whoever imports it is told what to use.

Loaded with the package, so it holds no more than the table, and what looks into it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

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

_LISTS = "use StateGraph(MessagesState), or StateGraph(Annotated[list, add_messages])"
_INTERNAL = "it is a name of LangGraph's inside, which nothing here reads"
_RULES = "a channel says how it merges writes by BaseChannel.merge, and is of no generic class"
_TYPED = "a serializer has dumps_typed and loads_typed: see SerializerProtocol"
_TRACES = (
    "what a trace is told is for the tracer to say: runs tell it all of what nodes get and return"
)
_TEXTS = "the words with which a model is told of errors are others: give handle_tool_errors= yours"
_VECTORS = "index={'embed': ...} of a store takes a function, a coroutine function or an Embeddings"
_MANAGED = "a managed value is a class derived from ManagedValue, in Annotated[...]"
_DIRECT = "import it from langchain_core"
NAMES: Mapping[str, str] = {
    "callbacks.get_async_graph_callback_manager_for_config": _INTERNAL,
    "callbacks.get_sync_graph_callback_manager_for_config": _INTERNAL,
    "channels.DeltaChannel": MODULES["channels.delta"],
    "channels.base.Checkpoint": _RULES,
    "channels.base.Update": _RULES,
    "channels.base.Value": _RULES,
    "checkpoint.base.DeltaChannelHistory": MODULES["channels.delta"],
    "checkpoint.base.create_checkpoint": "use empty_checkpoint() and copy_checkpoint()",
    "checkpoint.base.get_serializable_checkpoint_metadata": "use get_checkpoint_metadata",
    "checkpoint.base.writes_sort_key": "writes are sorted where they are applied",
    "checkpoint.memory.PersistentDict": "use SqliteSaver of distgraph.checkpoint.sqlite",
    "checkpoint.serde.base.CipherProtocol": "import it from distgraph.checkpoint.serde.encrypted",
    "checkpoint.serde.base.SerializerCompat": _TYPED,
    "checkpoint.serde.base.UntypedSerializerProtocol": _TYPED,
    "checkpoint.serde.base.maybe_add_typed_methods": _TYPED,
    "checkpoint.serde.jsonplus.InvalidModuleError": "use DeserializationError of distgraph.errors",
    "checkpoint.serde.types.ChannelProtocol": "use BaseChannel of distgraph.channels",
    "checkpoint.serde.types.SendProtocol": "use Send of distgraph.types",
    "constants.CONFIG_KEY_CHECKPOINTER": _INTERNAL,
    "constants.TASKS": _INTERNAL,
    "constants.Interrupt": "import it from distgraph.types",
    "constants.Send": "import it from distgraph.types",
    "errors.ErrorCode": "each kind of error is a class of distgraph.errors",
    "errors.TaskNotFound": "use ThreadNotFound, or NodesMissing",
    "errors.UnknownInterruptError": "use NoSuchInterrupt: every answer is checked, unasked",
    "errors.create_error_message": "each kind of error is a class of distgraph.errors",
    "graph.MessageGraph": _LISTS,
    "graph.message.MessageGraph": _LISTS,
    "managed.base.ManagedValueMapping": _MANAGED,
    "managed.base.ManagedValueSpec": _MANAGED,
    "managed.base.is_managed_value": _MANAGED,
    "prebuilt.ToolCallTransformer": _STREAMS,
    "prebuilt.chat_agent_executor.StateSchema": "give create_react_agent any class of a state",
    "prebuilt.tool_node.INVALID_TOOL_NAME_ERROR_TEMPLATE": _TEXTS,
    "prebuilt.tool_node.TOOL_CALL_ERROR_TEMPLATE": _TEXTS,
    "prebuilt.tool_node.TOOL_EXECUTION_ERROR_TEMPLATE": _TEXTS,
    "prebuilt.tool_node.TOOL_INVOCATION_ERROR_TEMPLATE": _TEXTS,
    "runtime.BaseUser": "ServerInfo.user is whatever it was given",
    "store.base.Embeddings": f"{_DIRECT}.embeddings",
    "store.base.NOT_PROVIDED": "leave ttl out of put()",
    "store.base.NotProvided": "leave ttl out of put()",
    "store.base.ensure_embeddings": _VECTORS,
    "store.base.tokenize_path": "get_text_at_path() takes the path as it is",
    "types.CacheKey": "use FullKey of distgraph.cache.base",
    "types.PregelExecutableTask": "use PregelTask: a task that runs is nobody's to hold",
    "types.TracePolicy": _TRACES,
    "types.ensure_valid_checkpointer": "compile() checks what it is given",
    "types.omit_payload": _TRACES,
}
"""By the name of what LangGraph has in a module that is here too, what to use in its place."""


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
    if name in NAMES:
        return NAMES[name]
    while name not in MODULES and name:
        name = name.rpartition(".")[0]
    return MODULES.get(name, "")


def missing_in(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module that lacks some names of LangGraph's.

    An import of those raises ImportError, since it would hide the words of an AttributeError, which
    everybody else gets: ``hasattr`` and what looks into modules know no other.
    """

    def refuse(name: str) -> Any:
        told = NAMES.get(f"{module.partition('.')[2]}.{name}")
        if not told:
            msg = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(msg)
        msg = f"{module} has no {name} as LangGraph has: {told}."
        if _imports(sys._getframe(1)):  # noqa: SLF001 nothing else tells who asks
            raise ImportError(msg, name=module)
        raise AttributeError(msg)

    return refuse


def _imports(frame: FrameType) -> bool:
    """Whether ``frame`` stands at the part of an import that asks a module for one name."""
    from opcode import opmap  # noqa: PLC0415 few ask for what is missing

    return frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]


def explain() -> None:
    """Have imports of what is known here say what to use."""
    if not any(isinstance(finder, _Explains) for finder in sys.meta_path):
        sys.meta_path.append(_Explains())
