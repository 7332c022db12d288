"""Hypothesis strategies for well-formed random programs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.parity.edits import Edit
from tests.parity.nesting import Nest, Nested
from tests.parity.programs import Branch, Node, Program
from tests.parity.replaying import Start

T = TypeVar("T")
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


KEPT: dict[str, tuple[bool | None, ...]] = {
    "plain": (None,),
    "lasting": (None, True, True),
    "nothing": (None, False, False),
}
"""What the graphs inside a program are compiled with as their checkpointers, by turns."""
PAUSES = ("questions", "failures", "stops")
"""Why graphs inside may pause; failures with questions. Stops are apart: whether a graph came to
one before a sibling failed is chance, and behind one the reference shows answered questions."""


@st.composite
def nested_programs(
    draw: st.DrawFn, *, fails: bool = True, kinds: tuple[str, ...] = tuple(KEPT)
) -> Nested:
    """A program with graphs in its nodes, up to three levels in all, of one of the `kinds` in KEPT.

    All that is asked is answered at once: of two tasks inside one graph the reference forgets one
    when it asks again while the other still waits.
    """
    how = draw(st.sampled_from(sorted(kinds)))
    pauses = [why for why in PAUSES if fails or why != "failures"]
    why = "questions" if how == "lasting" else draw(st.sampled_from(pauses))
    program = draw(programs(fails=why == "failures"))
    nests = draw(_nests(program, 2, how, why))
    program = replace(_fitting(program, how), answers_all=True)
    return Nested(program, nests, draw(_edits(how)))


def lasting_programs() -> st.SearchStrategy[Nested]:
    """A program all of whose graphs inside last."""
    found = nested_programs(kinds=("lasting",))
    return found.map(lambda nested: replace(nested, nests=_all_last(nested.nests)))


def _all_last(nests: tuple[Nest, ...]) -> tuple[Nest, ...]:
    return tuple(replace(each, lasts=True, nests=_all_last(each.nests)) for each in nests)


def _edits(how: str) -> st.SearchStrategy[tuple[Edit, ...]]:
    """What is updated while graphs inside wait, by turns.

    There, a waiting graph that lasts goes on when the graph around it was updated.
    """
    innermost = st.just(True) if how == "lasting" else st.booleans()
    edit = st.builds(Edit, innermost, st.sampled_from([0, 0, 0, 1, 2]), st.booleans())
    return st.lists(edit, min_size=1, max_size=2).map(tuple)


def many(sample: int, full: int) -> int:
    """How many programs a test draws: a `sample`, or the `full` number (RANDOM_PROGRAMS=all)."""
    return full if os.environ.get("RANDOM_PROGRAMS") == "all" else sample


def starts() -> st.SearchStrategy[Start]:
    """Where a nested program begins again."""
    return st.builds(Start, st.integers(0, 40), st.booleans(), st.booleans())


@st.composite
def _nests(
    draw: st.DrawFn, around: Program, levels: int, how: str, pauses: str
) -> tuple[Nest, ...]:
    names = draw(some(tuple(node.name for node in around.nodes), 2, least=1))
    return tuple(draw(_nest(name, levels, how, pauses)) for name in names)


@st.composite
def _nest(draw: st.DrawFn, name: str, levels: int, how: str, pauses: str) -> Nest:
    """A graph inside a node; one that keeps nothing neither asks nor stops.

    What it asks its task asks here, and a question of the reference's has another id each time.
    """
    lasts = draw(st.sampled_from(KEPT[how]))
    kept = lasts is not False
    program = draw(programs(asks=kept and pauses != "stops", fails=pauses == "failures"))
    deeper = levels > 1 and kept and draw(st.booleans())
    nests = draw(_nests(program, levels - 1, how, pauses)) if deeper else ()
    if not kept or pauses != "stops":
        program = replace(program, before=(), after=())
    program = _asking_once(program)
    # There, a second call that had not begun is given what it gave in the superstep before.
    called = st.sampled_from([0, 1] if how == "lasting" else [0, 1, 2])
    return Nest(name, _fitting(program, how), draw(called), lasts, nests)


def _asking_once(program: Program) -> Program:
    """`program` where at most one task of a superstep asks, one question.

    Of several tasks inside that ask at once the reference forgets some, and answers by id that come
    together answer the second question of such a task as well.
    """
    asking = [node.name for node in program.nodes if node.asks][:1]
    nodes = (replace(node, asks=min(node.asks, asking.count(node.name))) for node in program.nodes)
    asking_once = replace(program, nodes=tuple(nodes))
    return unsent(asking_once) if asking else asking_once


def _fitting(program: Program, how: str) -> Program:
    """`program` without what cannot be compared.

    Two packets to a graph that lasts would share it, which is refused here; and in the first
    superstep of a run that goes on the reference gives it no input, also where it had not run yet.
    Where a graph keeps nothing the reference cannot save before the next superstep, as joins need
    it to.
    """
    if how == "nothing":
        return replace(program, joins=())
    return replace(unsent(program), before=(), after=()) if how == "lasting" else program


def unsent(program: Program) -> Program:
    """`program` without packets."""
    one = (replace(each, shape="one") for each in program.branches if each.shape == "send")
    kept = (each for each in program.branches if each.shape != "send")
    nodes = (replace(node, sends=()) for node in program.nodes)
    return replace(program, nodes=tuple(nodes), branches=(*kept, *one))


def _edges(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names))
    return st.lists(pair, max_size=4, unique=True).map(tuple)


def _joins(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    join = st.tuples(some(names, 3, least=2), st.sampled_from(names))
    return st.lists(join, max_size=2, unique=True).map(tuple)


def drawn(count: int, strategy: st.SearchStrategy[T]) -> tuple[T, ...]:
    """Up to `count` examples, drawn once: other processes may be handed them."""
    found: list[T] = []

    @seed(count)
    @settings(
        database=None,
        max_examples=count,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return tuple(found)
