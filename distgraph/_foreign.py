"""What is LangGraph's own in a graph of distgraph: most often one import that was not changed.

It is told by the module that a class or function says it is of. Nothing here imports LangGraph.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Mapping
from typing import Any

_TYPES = (
    "CachePolicy Command ExecutionInfo Interrupt Overwrite PregelTask RetryPolicy Send "
    "StateSnapshot StateUpdate TimeoutPolicy interrupt"
)
_CHANNELS = (
    "AnyValue BaseChannel BinaryOperatorAggregate EphemeralValue LastValue LastValueAfterFinish "
    "NamedBarrierValue NamedBarrierValueAfterFinish Topic UntrackedValue"
)
_AGENTS = "InjectedState InjectedStore ToolNode ToolRuntime ValidationNode tools_condition"
HERE: Mapping[str, str] = {
    **dict.fromkeys(_TYPES.split(), "distgraph.types"),
    **dict.fromkeys(_CHANNELS.split(), "distgraph.channels"),
    **dict.fromkeys(("get_config", "get_store", "get_stream_writer"), "distgraph.config"),
    **dict.fromkeys(("NodeBuilder", "Pregel"), "distgraph.pregel"),
    **dict.fromkeys((*_AGENTS.split(), "create_react_agent"), "distgraph.prebuilt"),
    "BaseStore": "distgraph.store.base",
    "BaseCache": "distgraph.cache.base",
    "InMemoryCache": "distgraph.cache.memory",
    "RedisCache": "checkpoint_redis.cache",
    **dict.fromkeys(("IsLastStep", "RemainingSteps"), "distgraph.managed"),
    "InMemoryStore": "distgraph.store.memory",
    **dict.fromkeys(("RunControl", "Runtime", "ServerInfo", "get_runtime"), "distgraph.runtime"),
    **dict.fromkeys(("MessagesState", "StateGraph", "add_messages"), "distgraph.graph"),
    "BaseCheckpointSaver": "distgraph.checkpoint.base",
    "InMemorySaver": "distgraph.checkpoint.memory",
    "SqliteSaver": "distgraph.checkpoint.sqlite",
    **dict.fromkeys(("RedisSaver", "AsyncRedisSaver"), "checkpoint_redis.saver"),
}
"""Where what LangGraph has under these names is found here."""
_SAME = {
    "IsLastStepManager": "IsLastStep",
    "RemainingStepsManager": "RemainingSteps",
    "AsyncSqliteSaver": "SqliteSaver",
    "MemorySaver": "InMemorySaver",
    "GraphInterrupt": "interrupt",
    "NodeInterrupt": "interrupt",
}

_LANGGRAPH = "langgraph"
_NESTED = 3
"""So many lists inside each other are looked into."""


def foreign(given: Any) -> str:
    """Return which import to change when ``given`` is LangGraph's, a class or one of it; else ''.

    A list is LangGraph's when its first item is.
    """
    for _ in range(_NESTED):
        if found := _name_of(given):
            return _advice(*found)
        if not isinstance(given, list | tuple) or not given:
            break
        given = given[0]
    return ""


def called_foreign(raised: BaseException) -> str:
    """Return which import to change when a call of LangGraph's, such as ``interrupt()``, failed.

    It found no run of LangGraph's around it. What failed inside of such a run is none of this.
    """
    if _LANGGRAPH not in sys.modules:  # as in most processes, and each failure is asked about
        return ""
    frames = [frame for frame, _ in traceback.walk_tb(raised.__traceback__)]
    modules = [str(frame.f_globals.get("__name__")) for frame in frames]
    inside = [place for place, module in enumerate(modules) if _is_langgraph(module)]
    if not inside:
        return foreign(raised) if type(raised).__name__ in _SAME else ""
    call, module = frames[inside[0]].f_code.co_name, modules[inside[0]]
    alone = inside[-1] == len(frames) - 1
    return _advice(module, call) if alone and call in HERE else ""


def _advice(module: str, name: str) -> str:
    """Return which import to change, of what LangGraph has as ``name`` in ``module``."""
    own = _SAME.get(name, name)
    said = f"This {name} is LangGraph's, of {module}"
    if own not in HERE:
        return f"{said}; distgraph has nothing of that name."
    return f"{said}: import distgraph's instead, `from {HERE[own]} import {own}`."


def _name_of(given: Any) -> tuple[str, str] | None:
    """Return module and name of what ``given`` is, or is an instance of, in LangGraph."""
    inner = given.func if isinstance(given, functools.partial) else given
    function = getattr(inner, "__qualname__", "") if callable(inner) else ""
    if function and not isinstance(inner, type):
        found = str(inner.__module__), function.rpartition(".")[2].lstrip("_")
        return found if _is_langgraph(found[0]) else None
    bases = (inner if isinstance(inner, type) else type(inner)).__mro__
    return next(
        ((base.__module__, base.__name__) for base in bases if _is_langgraph(base.__module__)), None
    )


def _is_langgraph(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == _LANGGRAPH
