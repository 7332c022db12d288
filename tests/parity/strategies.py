"""Hypothesis strategies for well-formed random programs."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.parity.programs import Branch, Node, Program

NAMES = ("a", "b", "c", "d", "e")
RARELY = st.sampled_from([0, 0, 0, 0, 0, 1, 2])


def some(names: tuple[str, ...], most: int, least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Up to `most` different names."""
    return st.lists(
        st.sampled_from(names), min_size=least, max_size=min(most, len(names)), unique=True
    ).map(tuple)


def several(names: tuple[str, ...], most: int) -> st.SearchStrategy[tuple[str, ...]]:
    """Up to `most` names, the same one again allowed."""
    return st.lists(st.sampled_from(names), max_size=most).map(tuple)


def nodes(name: str, names: tuple[str, ...], asks: bool, fails: bool) -> st.SearchStrategy[Node]:
    """A node called `name` that may go to any of `names`."""
    return st.builds(
        Node,
        name=st.just(name),
        form=st.sampled_from(["dict", "dict", "command", "command", "commands", "none"]),
        marks=st.integers(0, 2),
        sets=st.sampled_from([False, False, True]),
        asks=RARELY if asks else st.just(0),
        fails=RARELY if fails else st.just(0),
        fails_late=RARELY if fails else st.just(0),
        goto=some(names, 2),
        sends=several(names, 3),
    )


def branches(source: str, names: tuple[str, ...]) -> st.SearchStrategy[Branch]:
    """A conditional edge out of `source`."""
    return st.builds(
        Branch,
        source=st.just(source),
        targets=some(names, 3, least=1),
        shape=st.sampled_from(["one", "one", "wide", "send"]),
        mapped=st.booleans(),
    )


@st.composite
def programs(draw: st.DrawFn, *, asks: bool = True, fails: bool = True) -> Program:
    """A program of two to five nodes, which ask and fail only where they may."""
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    sources = draw(some(names, 2))
    return Program(
        nodes=tuple(draw(nodes(name, names, asks, fails)) for name in names),
        entries=draw(some(names, 2, least=1)),
        edges=draw(_edges(names)),
        joins=draw(_joins(names)),
        branches=tuple(draw(branches(source, names)) for source in sources),
        before=draw(st.one_of(st.just(()), some(names, 2))),
        after=draw(st.one_of(st.just(()), some(names, 2))),
        limit=draw(st.integers(3, 12)),
        bound=draw(st.integers(2, 7)),
        answers_all=draw(st.booleans()),
    )


def _edges(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names))
    return st.lists(pair, max_size=4, unique=True).map(tuple)


def _joins(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    join = st.tuples(some(names, 3, least=2), st.sampled_from(names))
    return st.lists(join, max_size=2, unique=True).map(tuple)


def drawn(count: int) -> tuple[Program, ...]:
    """Up to `count` programs, drawn once: other processes may be handed them."""
    found: list[Program] = []

    @seed(count)
    @settings(
        database=None,
        max_examples=count,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(programs())
    def collect(program: Program) -> None:
        found.append(program)

    collect()
    return tuple(found)
