"""Run a pseudo task in the caller's process: START, or a node that a caller speaks for."""

from __future__ import annotations

from collections.abc import Mapping

from distgraph._loops import cancellations
from distgraph.core.execute import run_task, run_task_async
from distgraph.core.frame import TaskFrame
from distgraph.core.model import Result, Task
from distgraph.engine import RunHere
from distgraph.runners.backend import Job


def _frame(job: Job, request: RunHere, task: Task) -> TaskFrame:
    return TaskFrame(
        task=task,
        checkpoint=request.state.checkpoint,
        ns=job.place.ns,
        token=request.state.checkpoint.id,
        stop=request.state.checkpoint.step + 2,
        invocation=job.invocation,
        passes=(KeyboardInterrupt, *cancellations()),
    )


def run_here(job: Job, request: RunHere) -> Mapping[str, Result]:
    """Return the result of each task, run one after the other."""
    values = request.state.checkpoint.values
    return {
        task.id: run_task(request.graph, task, values, _frame(job, request, task))
        for task in request.tasks
    }


async def run_here_async(job: Job, request: RunHere) -> Mapping[str, Result]:
    """Return what ``run_here`` returns."""
    from asyncio import to_thread  # noqa: PLC0415 only where there is a loop

    values = request.state.checkpoint.values
    return {
        task.id: await run_task_async(
            request.graph, task, values, _frame(job, request, task), to_thread
        )
        for task in request.tasks
    }
