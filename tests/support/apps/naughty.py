"""A graph whose node misbehaves in the way that its input names."""

from __future__ import annotations

import operator
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import Annotated, Any, Never, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send
from tests.support.apps.programs import Builder, note

ROOM = 256 * 2**20


class Naughty(TypedDict, total=False):
    """`how` to misbehave; `log` counts the attempts."""

    how: str
    log: str
    out: Any
    rounds: Annotated[int, operator.add]


class UnpicklableError(Exception):
    """Holds what no process can be sent, and cannot be made without it."""

    def __init__(self, lock: Any, *, needed: str) -> None:
        super().__init__(lock)
        self.needed = needed


def _exhaust() -> Never:
    """Take memory until the limit of this process, which is set to a little more than it has."""
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, resource.RLIM_INFINITY))
    try:
        hoard = []
        while True:
            hoard.append(bytearray(2**20))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _raise(error: BaseException) -> Never:
    raise error


class LocalError(BaseException):
    """Not even an Exception."""


def _local_class() -> Never:
    class HiddenError(Exception):
        pass

    raise HiddenError("nobody can import me")


WAYS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: {"out": "fine"},
    "wrong type": lambda: 42,
    "wrong text": lambda: "text",
    "unknown key": lambda: {"nonsense": 1},
    "unstorable": lambda: {"out": threading.Lock()},
    "unknown send": lambda: Command(goto=Send("nowhere", 1)),
    "unknown goto": lambda: Command(goto="nowhere"),
    "unstorable send": lambda: Command(goto=Send("misbehave", threading.Lock())),
    "raise": lambda: _raise(ValueError("out of cheese")),
    "base exception": lambda: _raise(LocalError("rude")),
    "keyboard interrupt": lambda: _raise(KeyboardInterrupt()),
    "generator exit": lambda: _raise(GeneratorExit()),
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(3),
    "memory error": lambda: _raise(MemoryError("made up")),
    "exhausts memory": _exhaust,
    "unpicklable": lambda: _raise(UnpicklableError(threading.Lock(), needed="x")),
    "hidden class": _local_class,
    "deep recursion": lambda: _deep(0),
    "loop": lambda: {"rounds": 1},
}


def _deep(depth: int) -> int:
    return _deep(depth + 1) + 1


def misbehave(state: Naughty) -> Any:
    note(state.get("log", ""), state["how"])
    return WAYS[state["how"]]()


def naughty() -> Builder:
    builder = StateGraph(Naughty).add_node("misbehave", misbehave).add_edge(START, "misbehave")
    builder.add_conditional_edges(
        "misbehave", lambda state: "misbehave" if state["how"] == "loop" else "__end__"
    )
    return builder
