"""Calls in a copy of the context: what is set in context variables there stays there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def apart(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``call`` returns for the arguments, run in a copy of the context."""
    return copy_context().run(call, *args, **kwargs)


async def awaited_apart(steps: Coroutine[Any, Any, T]) -> T:
    """Do what ``apart`` does for a coroutine that has not begun, in the same task of the loop."""
    result: T = await _stepped(copy_context(), steps)
    return result


@coroutine
def _stepped(context: Context, steps: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Take each step in ``context``; what it waits for, and how that ends, is passed through."""
    advance: Callable[[Any], Any] = steps.send
    given: Any = None
    while True:
        try:
            awaited = context.run(advance, given)
        except StopIteration as done:
            result: T = done.value
            return result
        try:
            given, advance = (yield awaited), steps.send
        except BaseException as error:  # noqa: BLE001 it is for the coroutine, as a cancellation
            given, advance = error, steps.throw
