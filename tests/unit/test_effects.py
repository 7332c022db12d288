"""Conversations are carried the same way blocking and on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from distgraph.effects import Tell, acarry, atold, carry, told


@dataclass(frozen=True)
class Double:
    of: int


def perform(need: Double | Tell) -> int:
    assert isinstance(need, Double)
    if need.of < 0:
        raise ValueError(need.of)
    return need.of * 2


async def aperform(need: Double | Tell) -> int:
    await asyncio.sleep(0)
    return perform(need)


def _blocking(steps: Generator[Double, Any, int]) -> int:
    return carry(steps, perform)


def _on_loop(steps: Generator[Double, Any, int]) -> int:
    return asyncio.run(acarry(steps, aperform))


def _heard(steps: Generator[Double | Tell, Any, None]) -> Iterator[str]:
    yield from told(steps, perform)


def _heard_on_loop(steps: Generator[Double | Tell, Any, None]) -> Iterator[str]:
    hearing = atold(steps, aperform)
    with asyncio.Runner() as runner, suppress(StopAsyncIteration):
        while True:
            yield runner.run(_next(hearing))


async def _next(hearing: AsyncGenerator[str, None]) -> str:
    return await anext(hearing)


CARRIED = pytest.mark.parametrize("carried", [_blocking, _on_loop])
HEARD = pytest.mark.parametrize("heard", [_heard, _heard_on_loop])


@CARRIED
def test_each_need_gets_its_answer_and_the_result_comes_back(carried: Callable[..., int]) -> None:
    def steps() -> Generator[Double, Any, int]:
        once = yield Double(3)
        twice: int = yield Double(once)
        return twice

    assert carried(steps()) == 12


@CARRIED
def test_a_conversation_without_needs_has_a_result(carried: Callable[..., int]) -> None:
    def steps() -> Generator[Double, Any, int]:
        yield from ()
        return 1

    assert carried(steps()) == 1


@CARRIED
def test_a_failure_is_thrown_in_and_may_be_answered(carried: Callable[..., int]) -> None:
    def steps() -> Generator[Double, Any, int]:
        try:
            yield Double(-1)
        except ValueError:
            again: int = yield Double(1)
            return again
        return 0

    assert carried(steps()) == 2


@CARRIED
def test_a_failure_that_nobody_catches_comes_out(carried: Callable[..., int]) -> None:
    def steps() -> Generator[Double, Any, int]:
        given: int = yield Double(-1)
        return given

    with pytest.raises(ValueError, match="-1"):
        carried(steps())


def test_a_performer_out_of_items_does_not_end_the_conversation() -> None:
    def steps() -> Generator[Double, Any, int]:
        given: int = yield Double(1)
        return given

    empty: Iterator[int] = iter(())
    with pytest.raises(RuntimeError, match="StopIteration"):
        carry(steps(), lambda _: next(empty))


@HEARD
def test_what_is_told_comes_out_in_order(heard: Callable[..., Iterator[str]]) -> None:
    def steps() -> Generator[Double | Tell, Any, None]:
        yield Tell("before")
        answer = yield Double(2)
        yield Tell(f"after {answer}")

    assert list(heard(steps())) == ["before", "after 4"]


@HEARD
def test_what_was_told_before_a_failure_is_heard(heard: Callable[..., Iterator[str]]) -> None:
    def steps() -> Generator[Double | Tell, Any, None]:
        try:
            yield Double(-1)
        except ValueError as error:
            yield Tell(f"failed: {error}")
            raise

    hearing = heard(steps())
    assert next(hearing) == "failed: -1"
    with pytest.raises(ValueError, match="-1"):
        next(hearing)


class _Left:
    """A conversation that notes when it is left."""

    over = False

    def steps(self) -> Generator[Double | Tell, Any, None]:
        try:
            yield Tell("one")
            yield Tell("two")
        finally:
            self.over = True


def test_a_listener_who_leaves_ends_the_conversation() -> None:
    left = _Left()
    hearing = told(left.steps(), perform)
    assert next(hearing) == "one"
    hearing.close()
    assert left.over


async def test_a_listener_on_a_loop_who_leaves_ends_the_conversation() -> None:
    left = _Left()
    hearing = atold(left.steps(), aperform)
    assert await anext(hearing) == "one"
    await hearing.aclose()
    assert left.over
