"""What a caller sees of a thread: the root graph's state, and those of the graphs in its tasks.

What has to be read for it is asked for as places, whose states are the answers.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.core.snapshot import snapshot
from distgraph.graph.held import Held
from distgraph.graph.subgraphs import Standing, look_up, stored_in
from distgraph.runners.backend import Place
from distgraph.types import PregelTask, StateSnapshot

Showing = Generator[Place, ThreadState | None, StateSnapshot]


def frame_at(root: Graph, place: Place) -> Generator[Place, ThreadState | None, Standing | None]:
    """Return the frame at ``place``, None when it was never called.

    Raises ValueError when no graph of ``root``'s nodes can be there.
    """
    if not place.ns:
        return Standing(place, root)
    found = yield from look_up(root, place)
    return found[0] if found else None


def show(root: Graph, place: Place, *, subgraphs: bool) -> Showing:
    """Return the snapshot of the frame at ``place``; ValueError when no graph can be there.

    With ``subgraphs``, the tasks show the snapshots of the frames in them instead of configs.
    """
    if place.ns:
        found = yield from look_up(root, place)
        return (yield from _whole(*found, deep=subgraphs)) if found else _nothing(place)
    stored = yield place
    if stored is None:
        return _nothing(place)
    return (yield from _whole(Standing(place, root), stored, deep=subgraphs))


def shown_at(found: Standing, state: ThreadState, *, head: bool) -> StateSnapshot:
    """Return the snapshot of a frame's state, with the configs of the frames in its tasks."""
    place, graph = found.place, found.graph
    shown = snapshot(graph, state, {"thread_id": place.thread_id}, ns=place.ns, head=head)
    holders = {name: _held(graph, name) for name in {task.name for task in shown.tasks}}
    tasks = (
        task._replace(state=_config(_inside(place, task))) if holders[task.name] else task
        for task in shown.tasks
    )
    return shown._replace(tasks=tuple(tasks))


def _held(graph: Graph, name: str) -> tuple[Held, ...]:
    node = graph.nodes.get(name)
    return stored_in(node) if node else ()


def _whole(found: Standing, state: ThreadState, *, deep: bool) -> Showing:
    shown = shown_at(found, state, head=not found.place.checkpoint_id)
    if not deep:
        return shown
    tasks = []
    for task in shown.tasks:
        inner = (yield from _in_task(found, task)) if task.state else None
        tasks.append(task._replace(state=inner))
    return shown._replace(tasks=tuple(tasks))


def _in_task(found: Standing, task: PregelTask) -> Showing:
    place = _inside(found.place, task)
    for held in _held(found.graph, task.name):
        here = Standing(held.place(place), held.graph)
        state = yield here.place
        if state is not None and here.is_of(state):
            return (yield from _whole(here, state, deep=True))
    return _nothing(place)


def _inside(place: Place, task: PregelTask) -> Place:
    own = f"{task.name}:{task.id}"
    return Place(place.thread_id, f"{place.ns}|{own}" if place.ns else own)


def _config(place: Place) -> dict[str, Any]:
    return {"configurable": {"thread_id": place.thread_id, "checkpoint_ns": place.ns}}


def _nothing(place: Place) -> StateSnapshot:
    return StateSnapshot({}, (), _config(place), None, None, None, (), ())
