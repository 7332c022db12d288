"""Each construct does on distgraph what it does on LangGraph, blocking and with asyncio."""

from __future__ import annotations

import pytest

from tests.parity.catalogue import CASES, Case
from tests.parity.engines import DISTGRAPH, DISTGRAPH_ASYNC, LANGGRAPH, LANGGRAPH_ASYNC


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_as_langgraph_does(case: Case) -> None:
    assert case(DISTGRAPH) == case(LANGGRAPH)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_with_asyncio_as_langgraph_does(case: Case) -> None:
    assert case(DISTGRAPH_ASYNC) == case(LANGGRAPH_ASYNC)
