"""The frames of graphs called inside tasks: their names, whose they are, and where they are kept.

A called graph is kept in the saver of the root under a name of its own, as the root is under ''.
The metadata of its checkpoints say which graph it is and which task called it; no snapshot shows
them.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base.frames import task_of
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import (
    CALLER,
    GRAPH,
    NAME,
    ROUND,
    Checkpoint,
    Interrupted,
    Outcome,
    Paused,
    Result,
    Task,
    ThreadState,
)
from distgraph.core.plan import task_id
from distgraph.core.standing import Replay
from distgraph.engine import Execute, GoOn, Save, SaveUpdate
from distgraph.errors import SerializationError
from distgraph.runners.backend import Job, Place
from distgraph.runners.stores import (
    Asking,
    Calls,
    SaverCall,
    SaverStore,
    before,
    checkpoint_at,
)

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SaverFrames:
    """Keeps the graphs that are called inside tasks in the checkpointer of the root."""

    saver: BaseCheckpointSaver

    def for_graph(self, graph: Graph) -> BaseCheckpointSaver:
        """Return the checkpointer, knowing the classes of the graph's state too."""
        return self.saver.with_allowlist(_classes(graph.schema_types))

    def dispatches(self, frame: TaskFrame, graph: Graph, ns: str) -> bool:
        """Return False: in this process there is nobody else."""
        del frame, graph, ns
        return False

    def risen(self, ns: str) -> None:
        """Return None: nobody else has run a graph."""
        del ns


@lru_cache(maxsize=1024)
def _classes(schemas: tuple[Any, ...]) -> frozenset[type]:
    return classes_of(*schemas)


# --- names ------------------------------------------------------------------------------------


def lasting(ns: str) -> str:
    """Return the name that a frame has for the whole thread: that of its task without task ids."""
    return "|".join(part.partition(":")[0] for part in ns.split("|"))


class FoundFrame(NamedTuple):
    """Where a called graph is kept, and what an earlier execution, or earlier run, left there.

    ``at``: the checkpoint of an older call that it starts again from, if any.
    """

    place: Place
    state: ThreadState | None
    at: str = ""


@dataclass(frozen=True, slots=True)
class GraphCall:
    """A call of ``graph`` inside a task: the ``number``-th of that attempt at it.

    ``base`` is the name of the first call's frame.
    """

    frame: TaskFrame
    base: str
    graph: Graph
    number: int

    @property
    def thread_id(self) -> str:
        """The thread of the root."""
        return str(self.frame.invocation.thread_id or "")

    @property
    def metadata(self) -> dict[str, str]:
        """What the frame's checkpoints say of the call."""
        graph = self.graph
        named = {GRAPH: graph.fingerprint, NAME: graph.name, CALLER: self.frame.own_ns}
        return {**named, ROUND: self.frame.invocation.round}

    def find(self) -> Generator[Asking, Any, FoundFrame]:
        """Return the frame of the call.

        It is the first frame of the task that is one of this graph, and that no other call of this
        attempt has; else the next free one. Raises ValueError for one that another task has.
        """
        index = -1
        while True:
            index += 1
            ns = f"{self.base}|{index}" if index else self.base
            if ns in self.frame.taken:
                continue
            self.frame.taken.add(ns)
            place = Place(self.thread_id, ns)
            state = yield from SaverStore(place).load()
            if self._fits(state, index):
                if self.base != self.frame.own_ns:
                    self._claim(ns, state)
                return (yield from self._as_replayed(FoundFrame(place, state)))
            self.frame.taken.discard(ns)

    def _fits(self, state: ThreadState | None, index: int) -> bool:
        if state is None:
            return index >= self.number
        return self._is_of(state)

    def _is_of(self, state: ThreadState) -> bool:
        return state.checkpoint.metadata.get(GRAPH) == self.graph.fingerprint

    def _as_replayed(self, found: FoundFrame) -> Generator[Asking, Any, FoundFrame]:
        """Return what counts of a frame in a run that begins at an older checkpoint."""
        replay = self.frame.invocation.replay
        if replay is None or (found.state and found.state.checkpoint.id > replay.since):
            return found
        place, path = found.place, lasting(found.place.ns)
        origin, answers = replay.origins.get(path), replay.answers
        if answers and (origin is None or _stands_at(found.state, origin[1])):
            return found
        if origin and (yield from self._runs_again(replay, origin[0])):
            old = yield from SaverStore(Place(place.thread_id, *origin)).load()
            if old is not None and self._is_of(old):
                return FoundFrame(place, old, old.checkpoint.id)
        if answers:
            return found
        if found.state is None or place.ns != path:
            return FoundFrame(place, None)
        return FoundFrame(place, (yield from before(place, replay.at)))

    def _runs_again(self, replay: Replay, origin: str) -> Generator[Asking, Any, bool]:
        """Whether the task is the one around the frame ``origin``, in the first superstep again."""
        frame, ns = self.frame, self.frame.ns
        around = replay.origins.get(lasting(ns)) if ns else ("", replay.at)
        if around is None:
            return False
        place = Place(self.thread_id, around[0])
        old = yield from checkpoint_at(place, around[1])
        if old is None or not (yield from self._is_first(old, frame.checkpoint)):
            return False
        task = frame.task
        index = None if task.send is None else task.index
        return task_of(origin) in ("", task_id(old, place.ns, task.node, index))

    def _is_first(self, old: Checkpoint, new: Checkpoint) -> Generator[Asking, Any, bool]:
        """Whether ``new``, of a run from ``old``, is where it begins."""
        if new.id == old.id or new.step != old.step + 1:
            return new.id == old.id
        # A job knows no more of its checkpoint than the id and the step.
        stored = yield from checkpoint_at(Place(self.thread_id, self.frame.ns), new.id)
        begun = stored or new
        return begun.source == "fork" and begun.parent_id == old.id

    def _claim(self, ns: str, state: ThreadState | None) -> None:
        mine = _around(self.frame.parents, self.frame.own_ns)
        theirs = _last_caller(state) if state else {}
        claims = self.frame.invocation.claims
        for cp, task in mine.items():
            if theirs.get(cp, task) != task or claims.setdefault((ns, cp), task) != task:
                _refuse(ns, task)


def _stands_at(state: ThreadState | None, checkpoint_id: str) -> bool:
    return state is not None and state.checkpoint.id == checkpoint_id


def _around(parents: Mapping[str, str], own_ns: str) -> dict[str, str]:
    """Return, for each frame around a call, its checkpoint and the task of it that the call is in.

    Two calls with one checkpoint and different tasks in it are in the same superstep.
    """
    tasks = [*list(parents)[1:], own_ns]
    pairs = list(zip(parents.values(), tasks, strict=True))
    # A task and the functions that it calls have one checkpoint: all of that is in the task.
    return {cp: _of_task(ns) for cp, ns in reversed(pairs)}


def _of_task(ns: str) -> str:
    """Return the namespace of the task that a frame was called in."""
    before, _, last = ns.rpartition("|")
    return before if before and last.isdigit() else ns


def _last_caller(state: ThreadState) -> dict[str, str]:
    caller, parents = state.checkpoint.metadata.get(CALLER), state.checkpoint.parents
    return _around(parents, caller) if isinstance(caller, str) and parents else {}


def _refuse(ns: str, task: str) -> NoReturn:
    msg = (
        f"Two tasks of one superstep called the graph that keeps its state at '{ns}' (it was "
        f"compiled with checkpointer=True); one of them is '{task}'. Call it in one of them, or "
        "compile it with checkpointer=None."
    )
    raise ValueError(msg)


# --- what cannot be stored ------------------------------------------------------------------------


class FrameStore:
    """Keeps a called graph's frame in a saver, and in memory from where it cannot be stored.

    Its graph goes on all the same, since its caller may never wait: only a pause is refused.
    """

    def __init__(self, call: GraphCall, found: FoundFrame) -> None:
        self._call, self._node, self._found = call, call.frame.task.node, found.state
        self._store = SaverStore(found.place)
        self._lost: SerializationError | None = None

    def load(self) -> Generator[Asking, Any, ThreadState | None]:
        """Return what was found when the frame was looked for."""
        yield from ()
        return self._found

    def save(self, request: Save) -> Calls:
        """Store new checkpoints; SerializationError when the graph stops at one that cannot be."""
        yield from self._kept(self._store.save(request))
        if isinstance(request.then, Paused):
            self._refuse_pause()

    def go_on(self, request: GoOn) -> Calls:
        """Store the answers that the open superstep goes on with."""
        return self._store.go_on(request)

    def leave(self, job: Job, request: Execute) -> Calls:
        """Leave the tasks of the graph to others, if the keeper of frames has some.

        They need all that is stored of it.
        """
        frame, ns = self._call.frame, job.place.ns
        if self._lost is None and frame.frames and frame.frames.dispatches(frame, job.graph, ns):
            yield SaverCall("park", (job, request))

    def result(self, state: ThreadState, task: Task, result: Result) -> Calls:
        """Store one task's result; SerializationError for a question that cannot be stored."""
        if isinstance(result, Interrupted):
            self._refuse_pause()
            yield from self._store.result(state, task, result)
        else:
            yield from self._kept(self._store.result(state, task, result))

    def update(self, request: SaveUpdate) -> Calls:
        """Store a checkpoint that a caller made."""
        return self._store.update(request)

    def end(self, outcome: Outcome | None) -> Calls:
        """Store nothing more: all is stored already."""
        return self._store.end(outcome)

    def _kept(self, calls: Calls) -> Calls:
        if self._lost is not None:
            return
        try:
            yield from calls
        except SerializationError as error:
            self._lost = error
            log.warning(
                "The graph called in node '%s' goes on in memory, and begins anew when the node "
                "runs again: its state cannot be stored. %s",
                self._node,
                error,
            )

    def _refuse_pause(self) -> None:
        if self._lost is not None:
            msg = (
                f"The graph called in node '{self._node}' cannot wait, because its state cannot be "
                f"stored. {self._lost}"
            )
            raise SerializationError(msg) from self._lost
