"""What there is to tell of a frame when a superstep of it begins, or goes on."""

from __future__ import annotations

from distgraph.core.graph import Graph
from distgraph.core.model import Commit, Errored, Paused, RunTasks, ThreadState
from distgraph.core.plan import plan, with_caller_writes
from distgraph.engine import GoOn, Save
from distgraph.events import Ended, Event, Received, Resumed, Started, Stepped

ToldOfSave = Received | Resumed | Stepped | Started


def told_of_save(ns: str, request: Save) -> tuple[ToldOfSave, ...]:
    """Return what is told once ``request`` is stored: its checkpoints, and the tasks that begin."""
    checkpoint = request.state.checkpoint
    taken = tuple(Received(ns, ThreadState(each)) for each in request.checkpoints[:-1])
    stored: Resumed | Stepped = Stepped(ns, request.state, checkpoint.changed)
    if checkpoint.source == "fork" or not request.checkpoints:
        stored = Resumed(ns, request.state)
    match request.then:
        case RunTasks(tasks):
            return *taken, stored, Started(ns, request.state, tasks)
        case _:
            return *taken, stored


def told_of_going_on(
    graph: Graph, ns: str, request: GoOn, before: ThreadState | None
) -> tuple[Event, ...]:
    """Return what is told of a superstep that goes on, and stood as ``before``.

    That is its state, all of its tasks, and again what those had left that are kept.
    """
    state, resumed = request.state, Resumed(ns, request.state, before)
    match request.then:
        case RunTasks() | Commit() | Paused(questions=(_, *_)):
            opened = with_caller_writes(graph, state)
            tasks, step = plan(opened, ns), opened.step + 1
            kept = (
                Ended(ns, task, state.results[task.id], opened.values, kept=True, step=step)
                for task in tasks
                if not isinstance(state.results.get(task.id), Errored | None)
            )
            return (resumed, Started(ns, state, tasks), *kept)
        case _:
            return (resumed,)
