"""What has to happen next to a frame: one pure function of what is stored about it."""

from __future__ import annotations

from collections.abc import Sequence

from distgraph.core.graph import Graph
from distgraph.core.handlers import acting, left_by
from distgraph.core.model import (
    START,
    Checkpoint,
    Commit,
    Completed,
    Decision,
    Errored,
    Escaped,
    Failed,
    Finished,
    Interrupted,
    Left,
    Limits,
    Paused,
    Result,
    RunTasks,
    Task,
    ThreadState,
)
from distgraph.core.plan import tasks_of
from distgraph.errors import GraphRecursionError


def decide(graph: Graph, state: ThreadState, limits: Limits, ns: str = "") -> Decision:
    """Return the next move."""
    return decide_on(acting(graph, state, tasks_of(graph, state, ns)), state, limits)


def decide_on(tasks: tuple[Task, ...], state: ThreadState, limits: Limits) -> Decision:
    """Return the next move of a superstep whose ``tasks`` are planned, or act in their places.

    Failures come before everything, so that no new task is started.
    """
    if not state.results and (stop := _stop(state, tasks, limits)) is not None:
        return stop
    left = [(task, _left(state, task)) for task in tasks]
    for task, result in left:
        match result:
            case Errored():
                return Failed(result, task)
            case Escaped(command):
                return Left(command)
            case Completed() | Interrupted() | None:
                pass
    todo = tuple(task for task, result in left if result is None)
    return RunTasks(todo) if todo else _close(left)


def _left(state: ThreadState, task: Task) -> Result | None:
    """Return what a task has left, a handler also where that stands in place of what failed."""
    if task.handles is None:
        return state.results.get(task.id)
    return left_by(state, task) or state.results.get(task.id)


def _stop(state: ThreadState, tasks: tuple[Task, ...], limits: Limits) -> Decision | None:
    """Return why the superstep must not begin: the end, a static breakpoint, or the step limit."""
    checkpoint = state.checkpoint
    released = state.released == checkpoint.id
    if not released and stopped_after(checkpoint, limits.after):
        return Paused()
    if checkpoint.step + 1 > limits.stop:
        return Failed(_out_of_steps(limits))
    if not tasks:
        return Finished()
    if not released and limits.before & {task.node for task in tasks} - {START}:
        return Paused()
    return None


def stopped_after(checkpoint: Checkpoint, after: frozenset[str]) -> bool:
    """Whether the superstep that led to ``checkpoint`` ran a node of ``interrupt_after``."""
    return checkpoint.source == "loop" and bool(after & set(checkpoint.last) - {START})


def _close(left: Sequence[tuple[Task, Result | None]]) -> Decision:
    waiting = [result for _, result in left if isinstance(result, Interrupted)]
    if waiting:  # without questions when a graph inside a task stopped at its breakpoint
        refused = next((result.refused for result in waiting if result.refused), None)
        questions = tuple(question for result in waiting for question in result.questions)
        return Paused(questions, refused)
    return Commit(tuple((t, r) for t, r in left if isinstance(r, Completed)))


def _out_of_steps(limits: Limits) -> Errored:
    error = GraphRecursionError(
        f"Recursion limit of {limits.recursion_limit} reached without hitting a stop condition. "
        "You can increase the limit by setting the `recursion_limit` config key."
    )
    return Errored(
        kind=f"{GraphRecursionError.__module__}.{GraphRecursionError.__qualname__}",
        message=str(error),
        args=error.args,
        exception=error,
    )
