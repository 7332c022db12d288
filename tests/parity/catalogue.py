"""Every hand-written case by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from tests.parity.engines import Engine

Case = Callable[[Engine], Any]
TOPICS = (access, breakpoints, building, inputs, interrupts, messages, nested, streams, supersteps)
CASES: dict[str, Case] = {
    f"{topic.__name__.rpartition('.')[2]}-{name.removeprefix('case_')}": case
    for topic in TOPICS
    for name, case in vars(topic).items()
    if name.startswith("case_")
}

APART: dict[str, str] = {
    "inputs-a_saver_needs_a_thread": "a backend makes up the id of a thread for a new input",
    "nested-streams_of_a_graph_inside_are_told_apart": "graphs inside nodes stream nothing",
}
"""Cases that are not equal on Celery, and why."""


def on_celery(names: Iterable[str] = CASES) -> list[Any]:
    """The cases of `names` as parameters of a test, those that are `APART` expected to fail."""
    return [
        pytest.param(
            name,
            id=name,
            marks=[pytest.mark.xfail(reason=APART[name], strict=True)] if name in APART else [],
        )
        for name in names
    ]
