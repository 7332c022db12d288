"""A graph with all that the command line shows: a fan-out, a question, a failure, a class."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

from distgraph.graph import END, START, StateGraph
from distgraph.types import Send, interrupt
from workers import CeleryBackend


@dataclass(frozen=True, slots=True)
class Note:
    """A class that only programs with this module can read back."""

    text: str


class Errands(TypedDict, total=False):
    count: int
    done: Annotated[list[int], operator.add]
    ask: str
    answer: Any
    fails_until: str
    note: Note


def begin(state: Errands) -> Errands:
    return Errands(note=Note("begun"))


def each(state: Errands) -> list[Send] | str:
    return [Send("errand", number) for number in range(state.get("count", 0))] or "check"


def errand(number: int) -> Errands:
    return Errands(done=[number])


def check(state: Errands) -> Errands:
    """Fail until the file that the input names exists, and ask what the input says."""
    if (path := state.get("fails_until")) and not Path(path).exists():
        raise ValueError("the file is not there yet")
    return Errands(answer=interrupt({"question": ask})) if (ask := state.get("ask")) else Errands()


builder = StateGraph(Errands)
builder.add_node("begin", begin)
builder.add_node("errand", errand)
builder.add_node("check", check)
builder.add_edge(START, "begin")
builder.add_conditional_edges("begin", each, ["errand", "check"])
builder.add_edge("errand", "check")
builder.add_edge("check", END)

backend = CeleryBackend()
graph = builder.compile(name="errands", backend=backend)
local = builder.compile(name="errands")
not_a_graph = 3
