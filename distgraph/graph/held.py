"""The graphs inside nodes: what a node is, what its function refers to, what it was seen to call.

A function may hold a graph as a variable, an attribute, an item, an argument that was bound to it,
or through another function of its own that it calls. Whatever it holds it by, and where it makes
the graph itself, a process that has called it once knows it.
"""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from types import CodeType, ModuleType
from typing import Any, Final, NamedTuple

from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph, Node
from distgraph.runners.backend import Place
from distgraph.runners.frames import lasting

MOST_CALLED: Final = 64
"""Of a node that makes ever other graphs, the last so many are known."""
MOST_SEEN: Final = 1000
"""How many values are looked at to find those that a node's function refers to."""


class Held(NamedTuple):
    """A graph that a node is or calls, and what it was compiled with as its checkpointer.

    ``compiled`` is the graph as its user has it; None where only a call was seen.
    """

    graph: Graph
    checkpointer: Any
    compiled: Any = None

    def place(self, place: Place) -> Place:
        """Return where the graph is kept of which a snapshot says that it is at ``place``."""
        if self.checkpointer is not True:
            return place
        return Place(place.thread_id, lasting(place.ns), place.checkpoint_id)


def graph_of(node: Node) -> Held | None:
    """Return the graph that a node is, None for a node that is something else."""
    owner: Any = getattr(node.callee.call or node.callee.acall, "__self__", None)
    return _held(owner) if not node.then and _is_compiled(owner) else None


def graphs_in(node: Node) -> Iterator[Held]:
    """Yield the graphs that a node is, or that its function refers to."""
    if (own := graph_of(node)) is not None:
        yield own
        return
    for action in _actions(node):
        if _is_compiled(owner := getattr(action, "__self__", None)):
            yield _held(owner)
        for value in _referred(action):
            if _is_compiled(value):
                yield _held(value)


def known_in(node: Node) -> tuple[Held, ...]:
    """Return the graphs in a node: those that it was seen to call last first, then the others."""
    called: Iterable[Held] = reversed(node.called.values())
    found = {(held.graph.fingerprint, held.checkpointer is True): held for held in called}
    for held in graphs_in(node):
        found.setdefault((held.graph.fingerprint, held.checkpointer is True), held)
    return tuple(found.values())


def note_call(frame: TaskFrame, graph: Graph, checkpointer: Any) -> None:
    """Remember that the task of ``frame`` called ``graph``."""
    node = frame.graph.nodes.get(frame.task.origin.node) if frame.graph else None
    if node is None:
        return
    key = (graph.fingerprint, checkpointer is True)
    node.called.pop(key, None)
    node.called[key] = Held(graph, checkpointer)
    while len(node.called) > MOST_CALLED:
        node.called.pop(next(iter(node.called)))


def functions_in(node: Node) -> Iterator[Any]:
    """Yield the functions made by ``task`` that a node's function refers to."""
    found = (value for action in _actions(node) for value in _referred(action))
    for value in found:
        if isinstance(getattr(value, "node", None), Node):
            yield value


def _held(compiled: Any) -> Held:
    return Held(compiled.graph, compiled.checkpointer, compiled)


def _is_compiled(value: Any) -> bool:
    return isinstance(getattr(value, "graph", None), Graph)


def _actions(node: Node) -> Iterator[Any]:
    """Yield what a node runs: a user's functions, also where something else calls them."""
    for callee in (node.callee, *node.then):
        action: Any = callee.call or callee.acall
        yield getattr(action, "function", action)


# --- what a function refers to --------------------------------------------------------------------


def _referred(action: Any) -> Iterator[Any]:
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
    if _is_compiled(value) or isinstance(value, type | ModuleType):
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
        if not _is_compiled(holder):
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
