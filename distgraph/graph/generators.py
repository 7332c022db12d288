"""A generator as a node: what it yields, put together, is what it returns."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def gathered(action: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``action``, or for a generator function one that returns the sum of its chunks.

    Chunks that cannot be added, such as dicts, replace each other: the last one counts.
    """
    inner = action.func if isinstance(action, functools.partial) else action
    if inspect.isgeneratorfunction(inner):
        return lambda *args, **named: functools.reduce(_added, action(*args, **named), None)
    return _gathered_async(action) if inspect.isasyncgenfunction(inner) else action


def _gathered_async(action: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **named: Any) -> Any:
        whole = None
        async for chunk in action(*args, **named):
            whole = _added(whole, chunk)
        return whole

    return call


def _added(whole: Any, chunk: Any) -> Any:
    if whole is None:
        return chunk
    try:
        return whole + chunk
    except TypeError:
        return chunk
