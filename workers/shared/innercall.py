"""What a graph inside a task was called with, as it is stored beside its frame.

What counts of older runs is that of the run, and so is its context where it was given none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.model import Task
from distgraph.runners.backend import Job

from .runconfig import RunConfig, of_call


@dataclass(frozen=True, slots=True)
class Caller:
    """The task that calls functions, in the frame ``ns`` from the checkpoint ``cp`` at ``step``.

    ``shown``: how many chunks it has streamed before it waited, which it streams no more.
    ``taken``: so many of its calls, by their numbers, were begun, or begun again, by then: failures
    of later ones are of an earlier round. None: of an older release, which did not tell.
    """

    task: Task
    ns: str
    cp: str
    step: int
    shown: int = 0
    taken: int | None = None

    @property
    def depth(self) -> int:
        """How many tasks call one another, down to this one."""
        task, depth = self.task, 1
        while task.caller is not None:
            task, depth = task.caller, depth + 1
        return depth


@dataclass(frozen=True, slots=True)
class InnerCall:
    """How the tasks of a graph inside a task run; ``parents`` are the checkpoints around it.

    With a ``caller`` they are the functions that that task calls.
    """

    run: RunConfig
    parents: Mapping[str, str]
    caller: Caller | None = None


def encode_call(job: Job, serializer: JsonPlusSerializer, around: RunConfig) -> bytes:
    """Return the record of a call inside of what was called as ``around`` says.

    SerializationError for what cannot be stored.
    """
    run = of_call(job.start, job.invocation)
    own = around.has_own_context or run.context is not around.context
    run = replace(run, has_own_context=own)
    return serializer.dumps(numbered(Kind.call, *_packed(run, job.start.parents), *_told(run)))


def encode_caller(
    run: RunConfig, parents: Mapping[str, str], caller: Caller, serializer: JsonPlusSerializer
) -> bytes:
    """Return the record of what a task of a frame, which was called with ``run``, calls."""
    tasks, task = list[list[Any]](), caller.task
    while True:
        tasks.insert(0, [task.id, task.node, task.index])
        if task.caller is None:
            break
        task = task.caller
    told = [caller.ns, caller.cp, caller.step, tasks, caller.shown, caller.taken]
    return serializer.dumps(numbered(Kind.call, *_packed(run, parents), *_told(run, told)))


def _packed(run: RunConfig, parents: Mapping[str, str]) -> tuple[Any, ...]:
    stops = sorted(run.before), sorted(run.after)
    return dict(run.config), run.recursion_limit, *stops, dict(run.metadata), dict(parents)


def _told(run: RunConfig, caller: list[Any] | None = None) -> list[Any]:
    if run.has_own_context:
        return [caller, run.context]
    return [] if caller is None else [caller]


def decode_call(blob: bytes, run: RunConfig, serializer: JsonPlusSerializer) -> InnerCall:
    """Return the call of a record, in a run that was called with ``run``."""
    packed = serializer.loads(blob)
    match fields_of(Kind.call, packed):
        case [
            dict(config),
            int(limit),
            list(before),
            list(after),
            dict(meta),
            dict(parents),
            *told,
        ]:
            called, context = told[:1], told[1:]
            stops = frozenset(before), frozenset(after)
            own = replace(
                run,
                config=config,
                recursion_limit=limit,
                before=stops[0],
                after=stops[1],
                metadata=meta,
                context=context[0] if context else run.context,
                has_own_context=bool(context),
            )
            return InnerCall(own, parents, _caller(called))
        case _:
            raise corrupt(Kind.call, packed)


def _caller(packed: list[Any]) -> Caller | None:
    match packed:
        case [] | [None]:
            return None
        case [[str(ns), str(cp), int(step), [*tasks], int(shown), *taken]]:
            return Caller(_last(tasks), ns, cp, step, shown, *taken)
        case _:
            raise corrupt(Kind.call, packed)


def _last(tasks: list[Any]) -> Task:
    """Return the last of tasks that call one another."""
    task: Task | None = None
    for each in tasks:
        match each:
            case [str(tid), str(node), int(index)]:
                task = Task(tid, node, index, caller=task)
            case _:
                raise corrupt(Kind.call, each)
    if task is None:
        raise corrupt(Kind.call, tasks)
    return task
