"""Random graphs inside graphs that are left by commands to the graph around them."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import Any

from hypothesis import strategies as st

from tests.parity.engines import Engine
from tests.parity.nesting import Nest, Nested, run
from tests.parity.programs import Program
from tests.parity.strategies import nested_programs, some


@st.composite
def left_programs(draw: st.DrawFn) -> Nested:
    """A nested program of whose graphs some nodes leave, to nodes of the graph around.

    Nothing fails: whether a task had failed or left first is chance. No two tasks of one graph
    inside ask, of which the reference forgets one, and each graph is kept: of what a task beside
    one that keeps nothing wrote, the reference sometimes loses the gotos.
    """
    nested = draw(nested_programs(fails=False).filter(is_comparable))
    return replace(nested, nests=_leaving(draw, nested.program, nested.nests))


def is_comparable(nested: Nested) -> bool:
    """Whether each graph inside is kept, and no two tasks of one ask."""
    return all(
        nest.asks_one_by_one and _is_kept(nest) and _asks_unsent(nest) for nest in nested.nests
    )


def _asks_unsent(nest: Nest) -> bool:
    """Whether nothing that asks inside may be there several times at once."""
    sends = any(node.sends for node in nest.program.nodes)
    sends = sends or any(branch.shape == "send" for branch in nest.program.branches)
    return not (sends and nest.asking) and all(map(_asks_unsent, nest.nests))


def _is_kept(nest: Nest) -> bool:
    return nest.lasts is not False and all(map(_is_kept, nest.nests))


def _leaving(draw: st.DrawFn, around: Program, nests: tuple[Nest, ...]) -> tuple[Nest, ...]:
    return tuple(_left(draw, around, nest) for nest in nests)


def _left(draw: st.DrawFn, around: Program, nest: Nest) -> Nest:
    """`nest` with nodes that leave it; those that hold a graph stay, and may be left themselves."""
    held = {inner.node for inner in nest.nests}
    plain = tuple(node.name for node in nest.program.nodes if node.name not in held)
    leavers = draw(some(plain, 2, least=1)) if plain else ()
    goto = draw(some(tuple(node.name for node in around.nodes), 2))
    nodes = tuple(
        replace(node, leaves=goto) if node.name in leavers else node for node in nest.program.nodes
    )
    program = replace(nest.program, nodes=nodes)
    return replace(nest, program=program, nests=_leaving(draw, program, nest.nests))


def run_to_failure(engine: Engine, nested: Nested) -> dict[str, Any]:
    """Do what `run` does; of a thread that failed only what came before that is seen.

    A graph without an end fails by its step limit, and how far its siblings got by then is chance.
    """
    seen = run(engine, nested)
    calls = [*takewhile(lambda call: "error" not in call, seen["calls"])]
    return {**seen, "history": seen["history"] if calls == seen["calls"] else [], "calls": calls}
