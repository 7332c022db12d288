"""``entrypoint``: makes a graph of a function, which is its only node."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, TypeVar, get_args, get_origin, overload

from distgraph._caching import CachePolicy
from distgraph._checked import checked
from distgraph._timeouts import Timeout, TimeoutPolicy
from distgraph.channels import EphemeralValue, LastValue
from distgraph.core.graph import Callee, Graph, Node, Schema
from distgraph.core.model import END, PREVIOUS, START, Write
from distgraph.func.functions import callee, named, types_in
from distgraph.graph.blueprint import Blueprint
from distgraph.graph.callees import hints_of_call, input_hint, limited
from distgraph.graph.checks import (
    check_dispatch,
    check_text,
    checked_cache,
    checked_store,
    policies_of,
)
from distgraph.graph.compiled import CompiledStateGraph
from distgraph.graph.fingerprint import fingerprint
from distgraph.types import RetryPolicy
from distgraph.typing import ContextT

GivenT = TypeVar("GivenT")
ReturnT = TypeVar("ReturnT")
ValueT = TypeVar("ValueT")
SavedT = TypeVar("SavedT")
_LEFT_OUT: Any = None
"""A default that tells pyright that a type is Any where no argument says it; mypy needs no help."""


@checked
class entrypoint(Generic[ContextT]):  # noqa: N801 the name is LangGraph's
    """Makes a workflow of a function: a graph that takes its input and returns what it returns.

    The function's first parameter is the input. It may have others, by name: ``previous``, what the
    run before it on the same thread has saved (None in the first), ``config``, ``runtime``,
    ``writer`` and ``store``. It calls functions that ``task`` has made; whenever it
    runs again (to be answered, after a failure, after a worker was lost) it is given what those
    have returned already, by the order of its calls, and asks and calls from there on.

    ``checkpointer``: as of ``StateGraph.compile``. ``retry_policy``: when the function is run
    again, and the functions that it calls, unless they say so themselves; so does ``cache_policy``
    when what they left counts again, which ``cache`` has. ``timeout`` limits each
    attempt at a coroutine: seconds, a timedelta or a ``TimeoutPolicy``. ``backend``: where it
    runs, under ``name``, which is by default what its node is called after in any case, the
    function. ``queue`` and ``priority`` are those of ``add_node``.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class final(Generic[ValueT, SavedT]):  # noqa: N801 the name is LangGraph's
        """What it returns that saves something else than it gives to its caller.

        ``value`` is what the caller gets, ``save`` what the next run finds as ``previous``.
        """

        value: ValueT
        save: SavedT

    def __init__(  # noqa: PLR0913 LangGraph's, and where it is dispatched to
        self,
        checkpointer: Any = None,
        *,
        store: Any = None,
        cache: Any = None,
        context_schema: type[ContextT] | None = _LEFT_OUT,
        cache_policy: CachePolicy | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        timeout: Timeout = None,
        name: str | None = None,
        backend: Any = None,
        queue: str = "",
        priority: int = 0,
    ) -> None:
        if inspect.isroutine(checkpointer):
            told = getattr(checkpointer, "__name__", "it")
            msg = (
                f"entrypoint makes a decorator: write @entrypoint() above '{told}', with brackets."
            )
            raise TypeError(msg)
        self._checkpointer, self._context_schema = checkpointer, context_schema
        self._retry, self._name, self._backend = policies_of(retry_policy), name, backend
        self._queue, self._priority = queue, priority
        self._cache, self._cache_policy = checked_cache(cache), cache_policy
        self._timeout, self._store = TimeoutPolicy.coerce(timeout), checked_store(store)

    @overload
    def __call__(
        self,
        function: Callable[Concatenate[GivenT, ...], Awaitable[entrypoint.final[ReturnT, Any]]],
        /,
    ) -> CompiledStateGraph[ReturnT, ContextT, GivenT, ReturnT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], Awaitable[ReturnT]], /
    ) -> CompiledStateGraph[ReturnT, ContextT, GivenT, ReturnT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], entrypoint.final[ReturnT, Any]], /
    ) -> CompiledStateGraph[ReturnT, ContextT, GivenT, ReturnT]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[GivenT, ...], ReturnT], /
    ) -> CompiledStateGraph[ReturnT, ContextT, GivenT, ReturnT]: ...

    def __call__(self, function: Any, /) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Return the workflow of ``function``.

        Raises TypeError for what is no function or no checkpointer, NotImplementedError for a
        generator, ValueError for a function without parameters and for a name that cannot be one.
        """
        name = named(function, None)
        _check_input(function)
        check_dispatch(name, self._queue, self._priority)
        check_text("The name of a graph", self._name or "")
        node = self._node(name, callee(name, function, first=1))
        known = types_in(function)
        builder = Blueprint(Any, self._context_schema, Any, Any, schemas=list(known))
        compiled: CompiledStateGraph[Any, Any, Any, Any] = CompiledStateGraph(
            self._graph(name, node, function), builder, self._checkpointer
        )
        compiled.store, compiled.cache = self._store, self._cache
        if self._backend is None:
            return compiled
        return compiled.placed(self._backend, self._name or name)

    def _node(self, name: str, called: Callee) -> Node:
        return Node(
            name=name,
            callee=called,
            schema=Schema((START, PREVIOUS), _input),
            retry=self._retry,
            timeout=limited("Node", self._timeout, called),
            cache=self._cache_policy,
            queue=self._queue,
            priority=self._priority,
            destinations={END: None},
            returns=_left,
        )

    def _graph(self, name: str, node: Node, function: Any) -> Graph:
        given, returned, saved = _types(function)
        graph = Graph(
            name=self._name or name,
            nodes={name: node},
            channels={
                START: EphemeralValue(given),
                END: LastValue(returned),
                PREVIOUS: LastValue(saved),
            },
            joins=(),
            inputs=(START,),
            outputs=(END,),
            schema_types=types_in(function),
            entry=name,
            retry=self._retry,
            cache=self._cache_policy,
        )
        return fingerprint(graph)


def _check_input(function: Any) -> None:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a builtin without a signature
        return
    if not parameters:
        msg = "Entrypoint function must have at least one parameter"
        raise ValueError(msg)


def _types(function: Any) -> tuple[Any, Any, Any]:
    """Return the types of the input, of what is returned and of what is saved, as annotated."""
    hints = hints_of_call(function)
    given, returned = input_hint(function) or Any, hints.get("return", Any)
    if returned is entrypoint.final:
        return given, Any, Any
    if get_origin(returned) is entrypoint.final:
        return given, *get_args(returned)
    return given, returned, returned


def _left(returned: Any) -> tuple[Write, ...]:
    """Return what a run leaves that has ``returned`` this."""
    if isinstance(returned, entrypoint.final):
        return ((END, returned.value), (PREVIOUS, returned.save))
    return ((END, returned), (PREVIOUS, returned))


def _input(**values: Any) -> Any:
    return values[START]
