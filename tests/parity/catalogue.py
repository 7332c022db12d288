"""Every hand-written case by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.parity.cases import (
    access,
    breakpoints,
    building,
    caching,
    channels,
    crossing,
    debugging,
    failing,
    handlers,
    inheriting,
    inner_streams,
    inputs,
    interrupts,
    leaving,
    listening,
    messages,
    nested,
    older,
    pausing,
    prebuilt,
    pushing,
    raising,
    stores,
    streams,
    supersteps,
    tokens,
    unkept,
    waiting,
)
from tests.parity.engines import Engine

Case = Callable[[Engine], Any]
TOPICS = (
    access,
    breakpoints,
    building,
    caching,
    channels,
    crossing,
    debugging,
    failing,
    handlers,
    inheriting,
    inner_streams,
    inputs,
    interrupts,
    leaving,
    listening,
    messages,
    nested,
    older,
    pausing,
    prebuilt,
    pushing,
    raising,
    stores,
    streams,
    supersteps,
    tokens,
    unkept,
    waiting,
)
CASES: dict[str, Case] = {
    f"{topic.__name__.rpartition('.')[2]}-{name.removeprefix('case_')}": case
    for topic in TOPICS
    for name, case in vars(topic).items()
    if name.startswith("case_")
}

DOES_NOT_WAIT = "a graph that is left goes up at once, and does not wait for what else runs in it"
STANDS_THERE = (
    "a thread that asks again at an older checkpoint stands there, with what it left last"
)
APART: dict[str, str] = {
    "inputs-a_saver_needs_a_thread": "a backend makes up the id of a thread for a new input",
    "leaving-one_of_several_tasks_inside_leaves": DOES_NOT_WAIT,
    "older-a_graph_inside_is_answered_anew_each_time_at_one_checkpoint": STANDS_THERE,
    "older-a_graph_inside_takes_another_answer_at_a_checkpoint_of_its_own": STANDS_THERE,
    "unkept-an_untracked_value_lasts_in_a_run": "supersteps begin from what is stored",
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
