"""How functions of workflows are called: what they are called, what is injected, what they hold."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from distgraph.core.frame import CallArguments
from distgraph.core.graph import Callee
from distgraph.graph.callees import hints_of_call, is_async, name_of, wanted
from distgraph.graph.checks import check_name

INJECTED: Mapping[str, str] = {"previous": "previous"}
"""What is injected by name beyond what nodes can ask for."""


_MORE = inspect.Parameter.VAR_KEYWORD


def named(function: Any, name: str | None) -> str:
    """Return the name of a function's node.

    Raises TypeError for what cannot be called, NotImplementedError for a generator, ValueError for
    a name that no node may have.
    """
    if not callable(function):
        msg = f"A function is needed, or an object that can be called, not {function!r}."
        raise TypeError(msg)
    inner = function.func if isinstance(function, functools.partial) else function
    call = getattr(inner, "__call__", None)  # noqa: B004 the method itself is needed
    if any(map(_is_generator, (inner, call))):
        msg = (
            f"'{name_of(function)}' is a generator. Generators are not supported in the Functional "
            "API: return a list, or stream by get_stream_writer()."
        )
        raise NotImplementedError(msg)
    found = name or name_of(function)
    check_name(found, ())
    return found


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def callee(name: str, function: Any, call: Any = None, *, first: int = 0) -> Callee:
    """Return how ``function`` is called, by ``call`` where that is another one.

    Something is injected into its parameters from the one numbered ``first`` on.
    """
    wants, made = wanted(function, first, INJECTED), call or function
    if is_async(function):
        return Callee(name, None, made, wants)
    return Callee(name, made, None, wants)


def types_in(function: Any) -> tuple[Any, ...]:
    """Return the annotations of a function: what they name it may be given, and may return."""
    return tuple(hints_of_call(function).values())


class WithArguments:
    """Calls a function with the arguments that a task of it was sent.

    What the caller gave is not injected.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except ValueError:  # a builtin without one
            self._signature = None

    def named(self, given: CallArguments, injected: Collection[str]) -> dict[str, Any]:
        """Return the arguments of a call by their names, without what is ``injected``.

        What the function does not take is left for the call itself to refuse.
        """
        by_position, by_name = given
        if self._signature is None:
            return dict(by_name)
        try:
            bound = self._signature.bind_partial(*by_position, **by_name)
        except TypeError:
            return dict(by_name)
        bound.apply_defaults()
        kinds = {name: each.kind for name, each in self._signature.parameters.items()}
        found = {k: v for k, v in bound.arguments.items() if kinds[k] is not _MORE}
        more = (v for k, v in bound.arguments.items() if kinds[k] is _MORE)
        told = {**found, **next(more, {})}
        return {k: v for k, v in told.items() if k in by_name or k not in injected}

    def __call__(self, given: CallArguments, **injected: Any) -> Any:
        by_position, by_name = given
        if injected and self._signature is not None and by_position:
            bound = self._signature.bind_partial(*by_position).arguments
            injected = {name: value for name, value in injected.items() if name not in bound}
        return self.function(*by_position, **{**injected, **by_name})
