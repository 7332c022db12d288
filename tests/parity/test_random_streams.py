"""Random programs stream in any modes, and in both versions, what they stream on LangGraph."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.parity.engines import DISTGRAPH, LANGGRAPH
from tests.parity.nesting import Nested
from tests.parity.strategies import many, programs
from tests.parity.watching import Watch, watched, watches

pytestmark = pytest.mark.no_cover
REPEATABLE = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PLAIN = programs(fails=False).map(lambda program: Nested(program, ()))


@settings(REPEATABLE, max_examples=many(15, 300))
@given(PLAIN, watches())
def test_a_random_program_streams_in_any_modes_what_it_does_on_langgraph(
    program: Nested, watch: Watch
) -> None:
    assert watched(DISTGRAPH, program, watch) == watched(LANGGRAPH, program, watch)
