"""An exception of a frozen class, on which nothing can be put, passes like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Never, TypedDict

import pytest

from distgraph.graph import START, StateGraph
from distgraph.types import RetryPolicy
from workers.worker.inside import Untouched


@dataclass(frozen=True)
class RefusedError(Exception):
    code: int


def refuse(*_: object) -> Never:
    raise RefusedError(7)


class State(TypedDict, total=False):
    n: int
    sum: Annotated[int, refuse]


def graph(node: Any, **options: Any) -> Any:
    return StateGraph(State).add_node("node", node, **options).add_edge(START, "node").compile()


def test_it_leaves_a_node_a_reducer_and_a_predicate_of_a_retry_policy() -> None:
    inner, policy = graph(refuse), RetryPolicy(retry_on=refuse)
    for failing in (
        graph(refuse),
        graph(lambda _: {"sum": 1}),
        graph(refuse, retry_policy=policy),
        graph(inner),
    ):
        with pytest.raises(RefusedError):
            failing.invoke({"n": 1})
        with pytest.raises(RefusedError):
            list(failing.stream({"n": 1}))


async def test_it_leaves_a_loop() -> None:
    with pytest.raises(RefusedError):
        await graph(refuse).ainvoke({"n": 1})
    with pytest.raises(RefusedError):
        [chunk async for chunk in graph(refuse).astream({"n": 1})]


def test_it_leaves_the_block_of_a_worker() -> None:
    over: list[str] = []

    @contextmanager
    def block() -> Iterator[str]:
        try:
            yield "worker"
        finally:
            over.append("over")

    with pytest.raises(RefusedError), Untouched(block()):
        refuse()
    assert over == ["over"]
