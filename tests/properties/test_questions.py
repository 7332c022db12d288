"""Whatever a node asks at once, and however it is answered: each answer reaches its question."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command
from tests.support.branches import AT_ONCE, IN_ORDER, Branching, State, graph_of
from tests.support.redis_server import RedisServer
from tests.support.site import QUICK, on
from workers import CeleryBackend

pytestmark = pytest.mark.no_cover

texts = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple)


def distinct(branches: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return branches of which each begins with a question of its own."""
    return tuple((f"{first}{n}", *rest) for n, (first, *rest) in enumerate(branches))


in_order = st.builds(
    Branching,
    st.sampled_from(IN_ORDER),
    st.lists(texts, min_size=1, max_size=4).map(tuple),
)
in_any_order = st.builds(
    Branching,
    st.sampled_from(AT_ONCE),
    st.lists(texts, min_size=2, max_size=4).map(distinct),
    turn=st.integers(0, 3),
)
programs = in_order | in_any_order
Chosen = Callable[[list[str]], list[str]]


def some_of(seed: int) -> Chosen:
    """Return what says which of those that wait are answered: some, in any order.

    How many wait may be a matter of time, so that it is not drawn.
    """
    draws = random.Random(seed)
    return lambda waiting: draws.sample(waiting, draws.randint(1, len(waiting)))


seeds = st.integers(0, 2**32)


@given(programs, seeds)
def test_each_answer_reaches_its_question(program: Branching, seed: int) -> None:
    graph = graph_of(program.node).compile(checkpointer=InMemorySaver())
    said, told = program.answered(
        lambda given: asyncio.run(graph.ainvoke(given, on("t"))), some_of(seed)
    )
    assert said == told


@pytest.fixture(scope="module")
def run(redis_server: RedisServer) -> Iterator[Callable[[Branching, Chosen], Any]]:
    """Give what has a worker's threads run a program, and answers as chosen."""
    held: dict[str, Branching] = {}

    async def coroutine(state: State) -> Any:
        return await held[state["node"]].node(state)

    def blocking(state: State) -> Any:
        return held[state["node"]].node(state)

    name = f"t-{uuid.uuid4().hex[:16]}"
    backend = CeleryBackend(redis_server.url, namespace=name, **QUICK)
    graphs = {
        node: graph_of(node).compile(name=node.__name__, backend=backend)
        for node in (coroutine, blocking)
    }

    def run(program: Branching, chosen: Chosen) -> Any:
        thread = uuid.uuid4().hex
        held[thread] = program
        graph = graphs[coroutine if asyncio.iscoroutinefunction(program.node) else blocking]
        return program.answered(
            lambda given: graph.invoke(
                given if isinstance(given, Command) else {"node": thread}, on(thread)
            ),
            chosen,
        )

    with backend.worker():
        yield run


@pytest.mark.celery
@settings(max_examples=20)
@given(programs, seeds)
def test_each_answer_reaches_its_question_on_workers(
    run: Callable[[Branching, Chosen], Any], program: Branching, seed: int
) -> None:
    said, told = run(program, some_of(seed))
    assert said == told
