"""Each construct does on distgraph what it does on LangGraph, blocking and with asyncio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.parity.cases import (
    access,
    breakpoints,
    building,
    inputs,
    interrupts,
    messages,
    nested,
    streams,
    supersteps,
)
from tests.parity.engines import (
    DISTGRAPH,
    DISTGRAPH_ASYNC,
    LANGGRAPH,
    LANGGRAPH_ASYNC,
    Engine,
)

Case = Callable[[Engine], Any]
TOPICS = (access, breakpoints, building, inputs, interrupts, messages, nested, streams, supersteps)


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{topic.__name__.rpartition('.')[2]}-{name.removeprefix('case_')}")
        for topic in TOPICS
        for name, case in vars(topic).items()
        if name.startswith("case_")
    ]


@pytest.mark.parametrize("case", _cases())
def test_as_langgraph_does(case: Case) -> None:
    assert case(DISTGRAPH) == case(LANGGRAPH)


@pytest.mark.parametrize("case", _cases())
def test_with_asyncio_as_langgraph_does(case: Case) -> None:
    assert case(DISTGRAPH_ASYNC) == case(LANGGRAPH_ASYNC)
