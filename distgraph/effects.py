"""Who carries a conversation: a generator that yields what it needs and is sent the answer.

``perform`` gives the answers, and is all that blocking and asyncio differ in. What it raises is
thrown into the conversation, which may know what it means; what that does not catch comes out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

N = TypeVar("N")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand ``event`` to whoever listens; there is no answer."""

    event: Any


def carry(steps: Generator[N, Any, R], perform: Callable[[N], Any]) -> R:
    """Carry a conversation that tells nothing to its end; return its result."""
    try:
        need = next(steps)
        while True:
            try:
                answer = perform(need)
            except BaseException as error:  # noqa: BLE001 the conversation decides what it means
                need = steps.throw(error)
            else:
                need = steps.send(answer)
    except StopIteration as stop:
        result: R = stop.value
        return result


async def acarry(steps: Generator[N, Any, R], perform: Callable[[N], Awaitable[Any]]) -> R:
    """Do what ``carry`` does, awaiting ``perform``."""
    try:
        need = next(steps)
        while True:
            try:
                answer = await perform(need)
            except BaseException as error:  # noqa: BLE001 the conversation decides what it means
                need = steps.throw(error)
            else:
                need = steps.send(answer)
    except StopIteration as stop:
        result: R = stop.value
        return result


def told(steps: Generator[N, Any, Any], perform: Callable[[N], Any]) -> Generator[Any, None, None]:
    """Carry a conversation and yield the events that it tells; its result is dropped.

    A listener who leaves ends the conversation where it stands. ``perform`` is never given a Tell.
    """
    with closing(steps):
        try:
            need = next(steps)
            while True:
                if isinstance(need, Tell):
                    yield need.event
                    need = next(steps)
                    continue
                try:
                    answer = perform(need)
                except BaseException as error:  # noqa: BLE001 as above
                    need = steps.throw(error)
                else:
                    need = steps.send(answer)
        except StopIteration:
            return


async def atold(
    steps: Generator[N, Any, Any], perform: Callable[[N], Awaitable[Any]]
) -> AsyncGenerator[Any, None]:
    """Do what ``told`` does, awaiting ``perform``."""
    with closing(steps):
        try:
            need = next(steps)
            while True:
                if isinstance(need, Tell):
                    yield need.event
                    need = next(steps)
                    continue
                try:
                    answer = await perform(need)
                except BaseException as error:  # noqa: BLE001 as above
                    need = steps.throw(error)
                else:
                    need = steps.send(answer)
        except StopIteration:
            return
