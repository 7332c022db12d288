"""Random graphs inside graphs that ask and stop, and whose questions are answered in parts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.parity.leaving import is_comparable
from tests.parity.nesting import Nest, Nested
from tests.parity.strategies import nested_programs, some


@st.composite
def paused_programs(draw: st.DrawFn) -> Nested:
    """A nested program with breakpoints inside, beside its questions; some are answered one by one.

    Graphs that last have none: a run that goes on gives them no input there. Nor have those that
    ask: behind a stop the reference shows answered questions.
    """
    nested = draw(nested_programs(fails=False).filter(is_comparable))
    program = replace(nested.program, answers_all=draw(st.booleans()))
    nests = tuple(_stopped(draw, nest) for nest in nested.nests)
    return replace(nested, program=program, nests=nests, edits=())


def _stopped(draw: st.DrawFn, nest: Nest) -> Nest:
    names = tuple(node.name for node in nest.program.nodes)
    program = nest.program
    if nest.lasts is None and not nest.asking and draw(st.booleans()):
        program = replace(program, before=draw(some(names, 1)), after=draw(some(names, 1)))
    return replace(nest, program=program, nests=tuple(_stopped(draw, one) for one in nest.nests))
