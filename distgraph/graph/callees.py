"""Turn what a user gives as a node or a path into a Callee."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, get_origin, get_type_hints

from distgraph._foreign import foreign
from distgraph._timeouts import BLOCKS, TimeoutPolicy
from distgraph.core.graph import Callee, Graph
from distgraph.errors import NodeError
from distgraph.graph.cancellable import is_cancellable
from distgraph.graph.generators import gathered
from distgraph.messages.langchain import NEEDED
from distgraph.types import Runtime

_BY_NAME = {"config": "config", "runtime": "runtime", "writer": "writer", "store": "store"}
_NO_MORE: Mapping[str, str] = MappingProxyType({})


def name_of(action: Any) -> str:
    """Return the name that a node gets when none is given."""
    if hasattr(type(action), "get_name"):
        return str(action.get_name())
    inner = action.func if isinstance(action, functools.partial) else action
    return str(getattr(inner, "__name__", type(inner).__name__))


def callee_of(action: Any, name: str, more: Mapping[str, str] = _NO_MORE) -> Callee:
    """Return how ``action`` is called: a function, a callable object, or anything with invoke().

    ``more``: what is injected by name besides what every node can ask for. Raises TypeError for
    something that cannot be called.
    """
    if is_runnable(action):
        calls = _bound(action, "invoke"), _bound(action, "ainvoke")
        sees_state = getattr(action, "sees_state", False) is True
        return Callee(name, *calls, _CONFIG, _graph_of(action), sees_state)
    if not callable(action):
        msg = f"Node '{name}' must be a function, a callable object or a graph, not {action!r}."
        raise TypeError(msg)
    wants, call = wanted(action, more=more), gathered(action)
    return Callee(name, None, call, wants) if is_async(call) else Callee(name, call, None, wants)


def combined(action: Any) -> Any:
    """Return ``action``; of a dict of Runnables and functions what calls each of them.

    Raises TypeError where langchain-core, whose meaning of a dict that is, is not installed.
    """
    if not isinstance(action, dict):
        return action
    try:
        from distgraph.messages.piping import parallel  # noqa: PLC0415 optional, and few need it
    except ModuleNotFoundError as error:
        msg = f"A dict of Runnables as a node: {NEEDED}"
        raise TypeError(msg) from error
    return parallel(action)


def is_runnable(action: Any) -> bool:
    """Whether ``action`` is run by its invoke(); what can be called has to have that by its class.

    A function with such an attribute, or a mock, which has every attribute, is called.
    """
    has = type(action) if callable(action) and not isinstance(action, type) else action
    return hasattr(has, "invoke") or hasattr(has, "ainvoke")


_CONFIG: Mapping[str, str] = {"config": "config"}


HANDLER, DEFAULT_HANDLER = "__error_handler__", "__default_error_handler__"
"""What the names of error handlers begin with, and that of the one of a whole graph."""


def handler_of(handler: Any, name: str) -> Callee | None:
    """Return how an error handler is called, if there is one; TypeError for what cannot be."""
    if handler is None:
        return None
    if not callable(handler) and not is_runnable(handler):
        msg = f"error_handler must be a function or a callable object, not {handler!r}."
        raise TypeError(msg)
    return callee_of(handler, name, {"error": "error"})


def limited(kind: str, policy: TimeoutPolicy | None, *steps: Callee) -> TimeoutPolicy | None:
    """Return the time limits of a node; ValueError where one of its steps cannot be cancelled."""
    for callee in steps if policy is not None else ():
        if callee.acall is None or not is_cancellable(callee.acall):
            raise ValueError(BLOCKS.format(kind, callee.name))
    return policy


def _bound(action: Any, method: str) -> Callable[..., Any] | None:
    return getattr(action, method, None)


def _graph_of(action: Any) -> Graph | None:
    graph = getattr(action, "graph", None)
    return graph if isinstance(graph, Graph) else None


def is_async(action: Any) -> bool:
    """Whether calling ``action`` gives a coroutine."""
    inner = action.func if isinstance(action, functools.partial) else action
    call = getattr(inner, "__call__", None)  # noqa: B004 the method itself is needed
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(call)


def wanted(action: Any, first: int = 1, more: Mapping[str, str] = _NO_MORE) -> dict[str, str]:
    """Return the parameters from the one numbered ``first`` on that something is injected into.

    ``more``: what is known by name besides what every node can ask for. Raises TypeError for a
    parameter that asks for what is LangGraph's.
    """
    try:
        parameters = list(inspect.signature(action).parameters.values())[first:]
    except ValueError:
        return {}
    hints, known = hints_of_call(action), {**_BY_NAME, **more}
    found = {p.name: _injected(p.name, hints.get(p.name), known) for p in parameters}
    return {name: what for name, what in found.items() if what}


def _injected(name: str, hint: Any, names: Mapping[str, str]) -> str | None:
    if hint is Runtime or get_origin(hint) is Runtime:
        return "runtime"
    if hint is NodeError:
        return names.get("error")
    if (known := names.get(name)) is None and (advised := foreign(get_origin(hint) or hint)):
        msg = f"Nothing can be given for the parameter '{name}'. {advised}"
        raise TypeError(msg)
    return known


def hints_of_call(action: Any) -> Mapping[str, Any]:
    """Return the annotations of what is called, as far as they can be resolved."""
    inner = action.func if isinstance(action, functools.partial) else action
    call = getattr(type(inner), "__call__", inner)  # noqa: B004 the method itself is needed
    target = inner if inspect.isroutine(inner) else call
    try:
        return get_type_hints(target)
    except Exception:  # noqa: BLE001 hints that cannot be resolved only mean no hint
        return {}


def input_hint(action: Any) -> Any:
    """Return the annotation of the first parameter, None when it has none that is a schema."""
    try:
        parameters = list(inspect.signature(action).parameters)
    except (TypeError, ValueError):
        return None
    return hints_of_call(action).get(parameters[0]) if parameters else None


def return_hint(action: Any) -> Any:
    """Return the annotation of what ``action`` returns, None when it has none."""
    return hints_of_call(action).get("return")
