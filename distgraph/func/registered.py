"""The functions made by ``task`` that have a name in the module of who calls them.

Every process that has the module finds the same ones there, which cannot be said of closures.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from distgraph.core.graph import Node
from distgraph.func.tasks import TaskFunction


def functions_of(caller: Node) -> dict[str, Node]:
    """Return the nodes of the functions that ``caller`` finds by names of its module, by their own.

    Or by names of modules that it has there. Of several with one name there is none.
    """
    found: dict[str, dict[int, Node]] = defaultdict(dict)
    for function in _functions(_names(caller)):
        found[function.node.name][id(function.node)] = function.node
    return {
        name: node for name, nodes in found.items() if len(nodes) == 1 for node in nodes.values()
    }


def _functions(names: Mapping[str, Any]) -> Iterator[TaskFunction[..., Any]]:
    for value in tuple(names.values()):
        if _is_made(value):
            yield value
        elif issubclass(type(value), ModuleType):
            yield from filter(_is_made, tuple(vars(value).values()))


def _is_made(value: Any) -> bool:
    """Whether ``task`` has made it, without a look at what it pretends to be."""
    return issubclass(type(value), TaskFunction)


def _names(caller: Node) -> Mapping[str, Any]:
    """Return the names of the module in which the function of a node is."""
    action: Any = caller.callee.call or caller.callee.acall
    action = inspect.unwrap(getattr(action, "function", action))
    while isinstance(action, functools.partial):
        action = inspect.unwrap(action.func)
    if inspect.ismethod(action):
        action = action.__func__
    elif not inspect.isfunction(action):  # an object that can be called
        action = vars(type(action)).get("__call__")
    names: Mapping[str, Any] = getattr(action, "__globals__", {})
    return names
