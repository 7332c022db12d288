"""What a user's function refers to, itself or through functions of its module; nothing is run."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from types import CodeType, ModuleType
from typing import Any, Final

from distgraph.core.graph import Graph, Node

MOST_SEEN: Final = 1000
"""How many values are looked at to find those that a node's function refers to."""
_ASKED: Final = "response_schema"
"""The argument by which interrupt() is told what its answer has to be."""


def actions(node: Node) -> Iterator[Any]:
    """Yield what a node runs: a user's functions, also where something else calls them."""
    for callee in (node.callee, *node.then):
        action: Any = callee.call or callee.acall
        yield getattr(action, "function", action)


def is_compiled(value: Any) -> bool:
    """Whether ``value`` is a compiled graph."""
    return isinstance(getattr(value, "graph", None), Graph)


def schemas_asked_in(node: Node) -> Iterator[Any]:
    """Yield the classes that a node's functions name, of those that ask with a response_schema=.

    What their answers are made to be is among them.
    """
    for action in actions(node):
        for value in (action, *referred(action)):
            bound = (value.__self__,) if inspect.ismethod(value) else ()
            function = getattr(value, "__func__", value)
            if inspect.isfunction(function) and _asks(function.__code__):
                yield from filter(_is_hint, _used(function, *bound))


def _asks(code: CodeType) -> bool:
    """Whether a function, or one inside it, gives some call a response_schema=."""
    return any(_has_asked(const) for const in code.co_consts)


def _has_asked(const: Any) -> bool:
    if isinstance(const, CodeType):
        return _asks(const)
    return isinstance(const, tuple) and _ASKED in const  # the names of a call's arguments


def _is_hint(value: Any) -> bool:
    return isinstance(value, type) or hasattr(value, "__origin__")


def referred(action: Any) -> Iterator[Any]:
    """Yield what ``action`` refers to, itself or through functions of its module."""
    todo, seen = deque([action]), set[int]()
    while todo and len(seen) < MOST_SEEN:
        value = todo.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if value is not action:
            yield value
        is_own = value is action or _module(value) == _module(action)
        todo += islice(_parts(value, is_own=is_own), MOST_SEEN)


def _module(value: Any) -> Any:
    while isinstance(value, functools.partial):
        value = value.func
    return getattr(value, "__module__", None)


def _parts(value: Any, *, is_own: bool) -> Iterator[Any]:
    if is_compiled(value) or isinstance(value, type | ModuleType):
        return
    if isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
    elif is_own and inspect.ismethod(value):
        yield from _used(value.__func__, value.__self__)
    elif is_own and inspect.isfunction(value):
        yield from _used(value)
    elif is_own and inspect.isfunction(vars(type(value)).get("__call__")):
        yield value.__call__


def _used(function: Any, *owner: Any) -> Iterator[Any]:
    """Yield the values of a function's variables, and of attributes that it names, of those too."""
    names = tuple(dict.fromkeys(_names(function.__code__)))
    values = [*_around(function), *_of(function.__globals__, names)]
    yield from values
    yield from _of(vars(function), ("__wrapped__",))
    for holder in (*owner, *values):
        if not is_compiled(holder):
            yield from _attributes(holder, names)


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names of global variables and attributes in a function, and in those inside it."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _around(function: Any) -> Iterator[Any]:
    """Yield the variables of the functions around, as far as they have a value already."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):
            yield cell.cell_contents


def _of(known: Mapping[str, Any], names: Iterable[str]) -> Iterator[Any]:
    return (known[name] for name in names if name in known)


def _attributes(holder: Any, names: Iterable[str]) -> Iterator[Any]:
    """Yield the attributes of ``holder`` by ``names``, without running any code of its own."""
    yield from _of(getattr(holder, "__dict__", {}), names)
    if not isinstance(holder, type | ModuleType):
        methods = _of(vars(type(holder)), names)
        yield from (method.__get__(holder) for method in methods if inspect.isfunction(method))
