"""Every hand-written case by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
