"""What a graph inside a task was called with, as it is stored beside its frame.

Its context, and what counts of older runs, are those of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.runners.backend import Job

from .runconfig import RunConfig, of_call


@dataclass(frozen=True, slots=True)
class InnerCall:
    """How the tasks of a graph inside a task run; ``parents`` are the checkpoints around it."""

    run: RunConfig
    parents: Mapping[str, str]


def encode_call(job: Job, serializer: JsonPlusSerializer) -> bytes:
    """Return the record of a call; SerializationError for what cannot be stored."""
    run, start = of_call(job.start, job.invocation), job.start
    return serializer.dumps(
        numbered(
            Kind.call,
            dict(run.config),
            run.recursion_limit,
            sorted(run.before),
            sorted(run.after),
            dict(run.metadata),
            dict(start.parents),
        )
    )


def decode_call(blob: bytes, run: RunConfig, serializer: JsonPlusSerializer) -> InnerCall:
    """Return the call of a record, in a run that was called with ``run``."""
    packed = serializer.loads(blob)
    match fields_of(Kind.call, packed):
        case [dict(config), int(limit), list(before), list(after), dict(meta), dict(parents)]:
            stops = frozenset(before), frozenset(after)
            own = replace(
                run,
                config=config,
                recursion_limit=limit,
                before=stops[0],
                after=stops[1],
                metadata=meta,
            )
            return InnerCall(own, parents)
        case _:
            raise corrupt(Kind.call, packed)
