"""The exhaustive model of the protocol; what takes longer is in ``make model``."""

from __future__ import annotations

import pytest

from tests.model.__main__ import mutated
from tests.model.explore import explore
from tests.model.scenarios import HOLDS

pytestmark = pytest.mark.no_cover
QUICK = (
    "two tasks",
    "final failure, question",
    "frame, question",
    "frame fails",
    "three levels",
    "three levels, stop",
    "command of three levels",
    "calls, lost reply",
    "calls of calls, failure",
    "called graph",
    "called graph, back-off",
    "breakpoint inside",
    "many answers at once",
    "adoption",
)


@pytest.mark.parametrize("name", QUICK)
def test_nothing_forbidden_happens_and_every_state_has_a_way_out(name: str) -> None:
    found = explore(HOLDS[name])

    assert not found.fault, found


@pytest.mark.parametrize("name", mutated())
def test_without_a_safeguard_something_does(name: str) -> None:
    found = explore(mutated()[name])

    assert found.fault
    assert found.path
