"""What happens in a run, as runners tell it: the stream modes are made from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from distgraph.core.graph import Graph
from distgraph.core.model import Outcome, Result, Task, ThreadState


class Received(NamedTuple):
    """An input was stored; ``state`` is the checkpoint that holds it, not applied yet."""

    ns: str
    state: ThreadState


class Resumed(NamedTuple):
    """A run goes on from ``state`` instead of starting with an input.

    ``before``: how it stood, with what of it runs again or was answered; None: not told.
    """

    ns: str
    state: ThreadState
    before: ThreadState | None = None


class Stepped(NamedTuple):
    """A superstep was committed; ``state`` is the new one, ``changed`` the channels written."""

    ns: str
    state: ThreadState
    changed: frozenset[str]


class Started(NamedTuple):
    """The ``tasks`` of the superstep that runs from ``state`` begin, or go on after a pause."""

    ns: str
    state: ThreadState
    tasks: tuple[Task, ...]


class FunctionCalled(NamedTuple):
    """A task of superstep ``step`` calls a function, the ``task`` of a graph like ``graph``."""

    ns: str
    task: Task
    graph: Graph
    step: int = 0


class Ended(NamedTuple):
    """A task of superstep ``step`` ended; ``values`` are the state that it ran on.

    ``kept``: it ended in an earlier run, and its result counts in this one.
    """

    ns: str
    task: Task
    result: Result
    values: Mapping[str, Any]
    kept: bool = False
    step: int = 0


class Custom(NamedTuple):
    """A node streamed a chunk of its own."""

    ns: str
    chunk: Any


class Spoke(NamedTuple):
    """A chat model that a node called has made a message, or, where not ``whole``, a piece of one.

    ``about`` stands with it. A tool that a node called has a ``ToolTold`` in its place.
    """

    ns: str
    message: Any
    about: Mapping[str, Any]
    whole: bool = False


class Concluded(NamedTuple):
    """The run has its outcome; ``state`` is where the frame stands now, None if it never began."""

    ns: str
    state: ThreadState | None
    outcome: Outcome


OfFrame = (
    Received | Resumed | Stepped | Started | FunctionCalled | Ended | Custom | Spoke | Concluded
)


class Inside(NamedTuple):
    """What happened in ``graph``, which is called inside a task of the run.

    ``kept``: its checkpoints are stored.
    """

    graph: Graph
    event: OfFrame
    kept: bool = True

    @property
    def ns(self) -> str:
        """The namespace of the inner graph's frame."""
        return self.event.ns


class Relayed(NamedTuple):
    """What a graph inside a task showed, made into chunks by the process in which it ran.

    ``known``: the ids of messages that are not new from here on.
    """

    ns: str
    chunks: tuple[tuple[str, Any], ...]
    known: tuple[Any, ...] = ()


Event = OfFrame | Inside | Relayed
