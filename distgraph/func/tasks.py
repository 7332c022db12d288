"""``task``: makes of a function one whose calls are tasks, stored when they are done."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

from distgraph import _frame
from distgraph._caching import CachePolicy
from distgraph._timeouts import Timeout, TimeoutPolicy
from distgraph.core.graph import Node, Schema
from distgraph.core.model import RETURN, Write
from distgraph.func.functions import WithArguments, callee, named, types_in
from distgraph.graph.callees import limited
from distgraph.graph.checks import checked_cache, checked_policy, policies_of
from distgraph.runners.futures import SyncAsyncFuture
from distgraph.types import RetryPolicy

P = ParamSpec("P")
T = TypeVar("T")
Retry = RetryPolicy | Sequence[RetryPolicy] | None


class TaskFunction(Generic[P, T]):
    """A function whose calls are tasks. Made by ``task``.

    A call returns a future at once: wait for it by ``result()``, or await it. What it returned is
    stored then, so that the entrypoint or node around it is given it again when it runs again.
    """

    __name__: str
    func: Callable[P, Any]
    node: Node
    schema_types: tuple[Any, ...]

    def __init__(
        self,
        function: Callable[P, Any],
        *,
        name: str | None,
        retry: Retry,
        timeout: Timeout,
        cache: CachePolicy | None = None,
    ) -> None:
        own = named(function, name)
        call = callee(own, function, WithArguments(function))
        functools.update_wrapper(self, function, updated=())
        self.func = function
        self.node = Node(
            name=own,
            callee=call,
            schema=Schema(()),
            retry=policies_of(retry),
            returns=_returned,
            timeout=limited("Task", TimeoutPolicy.coerce(timeout), call),
            cache=checked_policy(cache),
        )
        self.schema_types = types_in(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> SyncAsyncFuture[T]:
        """Begin a call; RuntimeError outside of an entrypoint, a task or a node."""
        future: SyncAsyncFuture[T] = _frame.current(f"Task '{self.node.name}'").call(
            self.node, (args, kwargs)
        )
        return future

    def clear_cache(self, cache: Any) -> None:
        """Have ``cache`` forget what calls returned."""
        checked_cache(cache).clear(self._kept_in())

    async def aclear_cache(self, cache: Any) -> None:
        """Do what ``clear_cache`` does."""
        await checked_cache(cache).aclear(self._kept_in())

    def _kept_in(self) -> list[tuple[str, ...]]:
        from distgraph.runners.remembering import namespace_of  # noqa: PLC0415 few have a cache

        return [namespace_of(self.node, called=True)]

    def __repr__(self) -> str:
        return f"<task {self.node.name}>"


def _returned(value: Any) -> tuple[Write, ...]:
    return ((RETURN, value),)


@overload
def task(
    function: Callable[P, Awaitable[T]],
    /,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
) -> TaskFunction[P, T]: ...
@overload
def task(
    function: Callable[P, T],
    /,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
) -> TaskFunction[P, T]: ...
@overload
def task(
    function: None = None,
    /,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
) -> Callable[[Callable[P, Awaitable[T]] | Callable[P, T]], TaskFunction[P, T]]: ...


def task(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
) -> Any:
    """Make a function whose calls are tasks; also as a decorator, with or without arguments.

    ``name`` is that of its tasks, by default the function's. ``retry_policy`` says when a failed
    call is made again, by default as the entrypoint around it. Calls may be made in an entrypoint,
    in another task and in a node. Coroutine functions can be called where the caller runs on an
    event loop or beside it, all others everywhere.

    ``timeout`` limits each attempt at a coroutine: seconds, a timedelta or a ``TimeoutPolicy``.
    ``cache_policy``: what a call returned counts again for the same arguments, where the graph
    around has a cache.

    Raises TypeError for what is no function, NotImplementedError for a generator, ValueError for a
    timeout of what blocks.
    """
    limits, policy = TimeoutPolicy.coerce(timeout), checked_policy(cache_policy)

    def made(given: Any) -> TaskFunction[Any, Any]:
        return TaskFunction(given, name=name, retry=retry_policy, timeout=limits, cache=policy)

    return made if function is None else made(function)
