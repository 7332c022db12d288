"""Show a frame's state to people: ThreadState -> StateSnapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distgraph._deadline import moment
from distgraph.core.graph import ROOT, Graph
from distgraph.core.handlers import acting, left_by
from distgraph.core.merge import merge, updated
from distgraph.core.model import (
    END,
    HIDDEN,
    START,
    Answer,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Expired,
    Interrupted,
    Result,
    Task,
    ThreadState,
    Write,
)
from distgraph.core.plan import handler_id, is_input, plan, tasks_of, with_caller_writes
from distgraph.core.returns import read_return
from distgraph.core.veils import seen
from distgraph.errors import InvalidUpdateError
from distgraph.types import GivenAnswer, Interrupt, PregelTask, StateSnapshot

BARE = ((ROOT,), (END,))
"""The only channels of graphs whose state has no keys."""


def visible(graph: Graph, values: Mapping[str, Any], keys: Iterable[str] | None = None) -> Any:
    """Return the state as a caller sees it: the output keys, or a bare value.

    That is of ``__root__``, or what a workflow has returned.
    """
    chosen, values = graph.outputs if keys is None else keys, seen(graph, values)
    if isinstance(chosen, str):
        return values.get(chosen)
    shown = tuple(chosen)
    if shown in BARE:
        return values.get(shown[0])
    return {key: values[key] for key in shown if key in values}


def current_values(graph: Graph, state: ThreadState, ns: str = "") -> Mapping[str, Any]:
    """Return the channel values with the writes of the finished tasks already applied.

    Raises InvalidUpdateError when these do not go together.
    """
    opened = with_caller_writes(graph, state)
    return _finished(graph, state, opened, plan(opened, ns)) if state.results else opened.values


def _finished(
    graph: Graph, state: ThreadState, opened: Checkpoint, listed: tuple[Task, ...]
) -> Mapping[str, Any]:
    """Return the values of ``opened`` with what the finished ones of ``listed`` wrote."""
    tasks = sorted(acting(graph, state, listed), key=lambda task: task.order)
    done = [r for t in tasks if (r := left_by(state, t)) is not None]
    changed = merge(graph.channels, opened.values, [w for r in done for w in r.writes])
    return updated(opened.values, changed)


def _head_values(
    graph: Graph, state: ThreadState, opened: Checkpoint, ns: str
) -> Mapping[str, Any]:
    try:
        return _finished(graph, state, opened, plan(state.checkpoint, ns))
    except InvalidUpdateError:  # writes that do not go together: the run says so, not the state
        return opened.values


def _listed(graph: Graph, state: ThreadState, ns: str) -> tuple[Task, ...]:
    """Return the tasks to show: those that a caller's goto added only until they are done."""
    planned = {task.id for task in plan(state.checkpoint, ns)}
    return tuple(
        task
        for task in tasks_of(graph, state, ns)
        if task.id in planned or not _is_done(state.results.get(task.id))
    )


def snapshot(
    graph: Graph, state: ThreadState, thread: Mapping[str, Any], *, ns: str = "", head: bool = True
) -> StateSnapshot:
    """Return what ``get_state`` shows; of the head, finished tasks' writes count already.

    ``thread`` holds the coordinates that are the same for all its checkpoints.
    """
    checkpoint = state.checkpoint
    tasks = _listed(graph, state, ns)
    opened = with_caller_writes(graph, state)
    values = _head_values(graph, state, opened, ns) if head else opened.values
    asked: Mapping[str, tuple[Interrupt, ...]] = {} if head else state.asked
    shown = tuple(
        _task(graph, state, task)._replace(interrupts=asked[task.id])
        if task.id in asked
        else _task(graph, state, task)
        for task in tasks
    )
    return StateSnapshot(
        values=visible(graph, values, graph.shown),
        next=tuple(t.node for t in tasks if not head or not _is_done(state.results.get(t.id))),
        config=config_at(thread, ns, checkpoint.id, checkpoint.parents),
        metadata={
            **{k: v for k, v in checkpoint.metadata.items() if not k.startswith(HIDDEN)},
            "source": checkpoint.source,
            "step": checkpoint.step,
            "parents": dict(checkpoint.parents),
        },
        created_at=checkpoint.ts,
        parent_config=_parent_config(thread, ns, checkpoint),
        tasks=shown,
        interrupts=tuple(interrupt for task in shown for interrupt in task.interrupts),
    )


def _is_done(result: Result | None) -> bool:
    return isinstance(result, Completed)


def config_at(
    thread: Mapping[str, Any], ns: str, checkpoint_id: str, parents: Mapping[str, str]
) -> dict[str, Any]:
    """Return the config of a checkpoint; that of a called graph names those around it too."""
    place = {**thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    around = {"checkpoint_map": {**parents, ns: checkpoint_id}} if parents else {}
    return {"configurable": {**place, **around}}


def _parent_config(
    thread: Mapping[str, Any], ns: str, checkpoint: Checkpoint
) -> dict[str, Any] | None:
    parent = checkpoint.parent_id
    return config_at(thread, ns, parent, checkpoint.parents) if parent else None


def _task(graph: Graph, state: ThreadState, task: Task) -> PregelTask:
    result = state.results.get(task.id)
    shown = PregelTask(task.id, task.node, task.path)._replace(answers=_given(state, task))
    match result:
        case Completed(writes):
            return shown._replace(result=_shown_result(writes), error=state.failed.get(task.id))
        case Errored() as error:
            return shown._replace(error=str(error), interrupts=_asked_by_handler(state, task))
        case Interrupted(questions):
            return shown._replace(interrupts=tuple(q.interrupt for q in questions))
        case Escaped() | None:
            pass
    if is_input(state.checkpoint):
        given = state.checkpoint.values.get(START)
        return shown._replace(
            result=shown_writes(
                write
                for write in read_return(graph, START, given, graph.inputs).writes
                if write[0] not in graph.untracked
            )
        )
    return shown


def _asked_by_handler(state: ThreadState, failed: Task) -> tuple[Interrupt, ...]:
    match state.results.get(handler_id(failed.id)):
        case Interrupted(questions):
            return tuple(question.interrupt for question in questions)
        case _:
            return ()


def _shown_result(writes: Iterable[Write]) -> Any:
    shown = shown_writes(writes)
    return shown[END] if isinstance(shown, dict) and END in shown else shown


def _given(state: ThreadState, task: Task) -> tuple[GivenAnswer, ...]:
    return tuple(map(shown_answer, state.answers.get(task.id, ())))


def shown_answer(answer: Answer) -> GivenAnswer:
    """Return an answer as people see it."""
    late, told = answer.value if isinstance(answer.value, Expired) else None, answer.told
    return GivenAnswer(
        answer.id,
        late.default if late else answer.value,
        told.by,
        asked=moment(told.asked) if told.asked else None,
        answered=moment(told.given) if told.given else None,
        expired=late is not None,
    )


def shown_writes(writes: Iterable[Write]) -> Any:
    """Return writes as ``written`` does, those of a state that is one value as that value."""
    shown = written(writes)
    return shown[ROOT] if set(shown) == {ROOT} else shown


def written(writes: Iterable[Write]) -> dict[str, Any]:
    """Return writes as ``{key: value}``; a key written several times as ``{"$writes": [...]}``."""
    grouped: dict[str, list[Any]] = {}
    for channel, value in writes:
        grouped.setdefault(channel, []).append(value)
    return {k: v[0] if len(v) == 1 else {"$writes": v} for k, v in grouped.items()}
