"""Error handlers: who takes the place of a task that has failed for good.

A handler is a task of its own in the same superstep, with the input of the one that failed. What
is stored is the failure and what the handler left: so it is the handler alone that runs again
where it failed, or its process died.
"""

from __future__ import annotations

from distgraph.core.graph import Graph, Node
from distgraph.core.model import Completed, Errored, Task, ThreadState
from distgraph.core.plan import handler_id


def node_of(graph: Graph, task: Task) -> Node:
    """Return the node that a task runs: one of the graph, or the handler of one."""
    if task.handles is None:
        return graph.nodes[task.node]
    handler = graph.nodes[task.handles.node].handler
    assert handler is not None
    return handler


def handling(task: Task, handler: Node) -> Task:
    """Return the task of the handler of one that has failed."""
    return Task(handler_id(task.id), handler.name, task.index, task.send, handles=task)


def handler_of(graph: Graph, task: Task) -> Task:
    """Return the task of a task's handler; the task itself where its node has none (any more)."""
    handler = graph.nodes[task.node].handler
    return handling(task, handler) if handler else task


def acting(graph: Graph, state: ThreadState, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Return the ``tasks`` of a superstep, with handlers in the places of those that failed."""
    if not graph.handles:
        return tasks
    return tuple(_acting(graph, state, task) for task in tasks)


def _acting(graph: Graph, state: ThreadState, task: Task) -> Task:
    handler = graph.nodes[task.node].handler
    match state.results.get(task.id):
        case Errored(is_settled=False) | Completed(handled=True) if handler is not None:
            return handling(task, handler)
        case _:
            return task


def left_by(state: ThreadState, task: Task) -> Completed | None:
    """Return what a task left for the state, if it has completed.

    A handler's may stand in the place of what failed, where one job has run both.
    """
    for tid in (task.id, task.handles.id if task.handles else task.id):
        match state.results.get(tid):
            case Completed() as done:
                return done
            case _:
                pass
    return None


def in_hand(graph: Graph, state: ThreadState, tasks: tuple[Task, ...]) -> frozenset[str]:
    """Return the ids of the tasks whose failure is a handler's: they are not run again."""
    taken = (task.handles for task in acting(graph, state, tasks))
    return frozenset(task.id for task in taken if task is not None)
