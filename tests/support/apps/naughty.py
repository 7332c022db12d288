"""A graph whose node misbehaves in the way that its input names."""

from __future__ import annotations

import asyncio
import operator
import os
import resource
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Never, TypedDict

from distgraph.graph import START, StateGraph
from distgraph.types import Command, Send
from tests.support.apps.programs import Builder, hold, note

ROOM = 256 * 2**20


def added(known: int, new: Any) -> int:
    """A reducer that may end its process."""
    return known + new if isinstance(new, int) else sys.exit(new)


class Naughty(TypedDict, total=False):
    """`how` to misbehave; `log` counts the attempts."""

    how: str
    log: str
    out: Any
    rounds: Annotated[int, operator.add]
    sum: Annotated[int, added]


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


class TextRaisesError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


def _no_text(_: BaseException) -> str:
    sys.exit("no text")


class TextExitsError(Exception):
    __repr__ = __str__ = _no_text


class ReduceRaisesError(Exception):
    def __reduce__(self) -> Never:
        raise ValueError("cannot be pickled")


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int


class NotesTakenError(Exception):
    __notes__ = 5  # type: ignore[assignment]


class ArgumentsRaiseError(Exception):
    @property
    def args(self) -> Never:  # type: ignore[override]
        raise ValueError("no arguments")


class Shy:
    """Tells nothing of itself."""

    def __getattribute__(self, name: str) -> Never:
        raise ValueError(name)

    __repr__ = __str__ = __reduce__ = __getattribute__  # type: ignore[assignment]


class RudeTextError(BaseException):
    __repr__ = __str__ = _no_text


def _fork(end: Callable[[], Any]) -> dict[str, Any]:
    """Leave a child that goes on by ``end`` where it should have ended."""
    pid = os.fork()
    if pid == 0:
        return end()  # type: ignore[no-any-return]
    os.waitpid(pid, 0)
    return {"out": "fine"}


def _close_files() -> dict[str, Any]:
    """Close all that this process has open, connections too, as a daemon does that begins."""
    os.closerange(3, 4_096)
    return {"out": "fine"}


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
    "text raises": lambda: _raise(TextRaisesError()),
    "text exits": lambda: _raise(TextExitsError()),
    "reduce raises": lambda: _raise(ReduceRaisesError("4711")),
    "frozen": lambda: _raise(FrozenError(4711)),
    "undecodable": lambda: b"out \xff".decode(),
    "group": lambda: _raise(ExceptionGroup("two", [FrozenError(4711), KeyError("cheese")])),
    "notes taken": lambda: _raise(NotesTakenError("4711")),
    "arguments raise": lambda: _raise(ArgumentsRaiseError("4711")),
    "shy argument": lambda: _raise(ValueError(Shy())),
    "rude text": lambda: _raise(RudeTextError()),
    "reducer exits": lambda: {"sum": "4711"},
    "forks": lambda: _fork(lambda: {"out": "child's"}),
    "forks and exits": lambda: _fork(lambda: sys.exit(0)),
    "forks and raises": lambda: _fork(lambda: _raise(ValueError("child's"))),
    "closes files": _close_files,
    "deep recursion": lambda: _deep(0),
    "loop": lambda: {"rounds": 1},
}


def _deep(depth: int) -> int:
    return _deep(depth + 1) + 1


def misbehave(state: Naughty) -> Any:
    note(state.get("log", ""), state["how"])
    return WAYS[state["how"]]()


async def misbehave_async(state: Naughty) -> Any:
    if state["how"] == "stops the loop":
        asyncio.get_running_loop().stop()
        return {"out": "fine"}
    if state["how"] == "blocks the loop":
        note(state["log"], state["how"])
        hold(f"{state['log']}-gate")
        return {"out": "fine"}
    if state["how"] == "cancelled":
        raise asyncio.CancelledError
    return misbehave(state)


def naughty_coroutine() -> Builder:
    return StateGraph(Naughty).add_node("misbehave", misbehave_async).add_edge(START, "misbehave")


def naughty() -> Builder:
    builder = StateGraph(Naughty).add_node("misbehave", misbehave).add_edge(START, "misbehave")
    builder.add_conditional_edges(
        "misbehave", lambda state: "misbehave" if state["how"] == "loop" else "__end__"
    )
    return builder
