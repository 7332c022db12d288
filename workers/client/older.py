"""How a run goes on from an older checkpoint with an answer: its superstep is opened again.

What follows it stays as another branch of the thread, which stands at that checkpoint from now on.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from checkpoint_redis.records import STAGE_ABOVE, NewHead, OlderEntry
from checkpoint_redis.references import refs_of
from distgraph.core.model import Completed, Interrupted, Result, RunTasks, Task, ThreadState
from distgraph.core.plan import tasks_of
from distgraph.engine import GoOn

from ..shared.supersteps import nonce
from .begun import Begun
from .effects import Effect
from .launching import launch
from .submission import Submission


def open_again(
    call: Submission, request: GoOn, caller_writes: tuple[bytes, ...]
) -> Generator[Effect, Any, Begun]:
    """Start a run of the superstep of ``request``, an older one; ThreadBusy, ThreadConflict."""
    state = request.state
    if not isinstance(request.then, RunTasks):
        step = call.wire.superstep(call.graph, nonce(), (), request.then)
        return (yield from launch(call, step, state, _older(call, request, ())))
    tasks = tasks_of(call.graph, state)
    step = call.wire.superstep(call.graph, nonce(), (), RunTasks(tasks))
    kept = () if len(tasks) > STAGE_ABOVE else _kept(state, tasks)
    given = tuple(call.wire.answered(task, state.answers) for task in step.tasks)
    ready = replace(step, tasks=given, caller_writes=caller_writes)
    return (yield from launch(call, ready, state, _older(call, request, kept)))


def _older(call: Submission, request: GoOn, kept: tuple[tuple[Task, Completed], ...]) -> OlderEntry:
    at = request.state.checkpoint
    asked = call.origin.results if call.origin else dict[str, Result]()
    answered = {reply.task for reply in request.replies}
    return OlderEntry(
        NewHead("", at.id, at.step, refs_of(at.versions, at.lines)),
        tuple((task.id, call.wire.result(task, left)) for task, left in kept),
        tuple(
            (tid, tuple(question.interrupt.id for question in left.questions))
            for tid, left in asked.items()
            if isinstance(left, Interrupted) and tid in answered
        ),
    )


def _kept(state: ThreadState, tasks: tuple[Task, ...]) -> tuple[tuple[Task, Completed], ...]:
    """Return the tasks that are done, and what they left; who sent packets sends them anew."""
    left = ((task, state.results.get(task.id)) for task in tasks)
    return tuple(
        (task, result)
        for task, result in left
        if isinstance(result, Completed) and all(isinstance(each, str) for each in result.goto)
    )
