"""What a run was called with, as it is stored beside the thread for whoever runs its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distgraph._brief import brief
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.frame import Invocation
from distgraph.core.graph import Graph
from distgraph.core.model import EXIT, Limits
from distgraph.core.standing import Replay
from distgraph.engine import Start
from distgraph.errors import CorruptRecord, SerializationError
from distgraph.graph.configs import COORDINATES, DEFAULT_RECURSION_LIMIT

_IN_PROCESS = ("callbacks",)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The part of a call that its tasks need.

    ``has_own_context``: a graph inside was called with another context than the run.
    """

    config: Mapping[str, Any]
    context: Any
    run_id: str | None
    recursion_limit: int
    before: frozenset[str]
    after: frozenset[str]
    metadata: Mapping[str, Any]
    replay: Replay | None = None
    has_own_context: bool = False

    def limits(self, stop: int, run_id: str = "") -> Limits:
        """Return what the run may do; ``stop`` is its last step.

        ``run_id``: of a run that leaves its last checkpoint alone; each names it.
        """
        metadata = {**self.metadata, EXIT: run_id} if EXIT in self.metadata else self.metadata
        return Limits(self.recursion_limit, stop, self.before, self.after, metadata)

    def invocation(self, thread_id: str, run_id: str, callbacks: Any = None) -> Invocation:
        """Return what a task of the run is told; ``callbacks`` are there for its nodes."""
        heard = {"callbacks": callbacks} if callbacks else {}
        return Invocation(
            config={**self.config, **heard},
            context=self.context,
            thread_id=thread_id,
            run_id=self.run_id or run_id,
            durable=True,
            replay=self.replay,
            answers_stay=True,
            durability="exit" if EXIT in self.metadata else "sync",
        )


def of_call(start: Start, invocation: Invocation) -> RunConfig:
    """Return what is stored of a call."""
    return RunConfig(
        storable(invocation.config),
        invocation.context,
        invocation.run_id,
        start.recursion_limit,
        start.before,
        start.after,
        start.metadata,
        invocation.replay,
    )


def storable(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a config others are told: not what only works in one process."""
    kept = {k: v for k, v in config.items() if k not in ("run_id", *_IN_PROCESS)}
    return {**kept, "configurable": _own(config.get("configurable", {}))}


def _own(configurable: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a config's entries is the caller's own, and says nothing of places."""
    return {
        key: value
        for key, value in configurable.items()
        if key not in COORDINATES and not key.startswith("__")
    }


def says_nothing(run: RunConfig, graph: Graph) -> bool:
    """Whether a call gave no more than a thread: a resume then keeps what its thread was told."""
    given = {key for key, value in run.config.items() if value}
    plain = not given and run.context is None and run.run_id is None and not run.metadata
    stops = (run.before, run.after) == (graph.before, graph.after)
    return plain and stops and run.replay is None


def encode_config(run: RunConfig, serializer: JsonPlusSerializer) -> bytes:
    """Return the record of a run's config; SerializationError names what cannot be stored."""
    try:
        return serializer.dumps(
            numbered(
                Kind.config,
                dict(run.config),
                run.context,
                run.run_id,
                run.recursion_limit,
                sorted(run.before),
                sorted(run.after),
                dict(run.metadata),
                *_packed(run.replay),
            )
        )
    except SerializationError as error:
        msg = f"The run's config or context cannot be stored. {error}"
        raise SerializationError(msg) from error


def encode_metadata(run: RunConfig, serializer: JsonPlusSerializer) -> bytes:
    """Return what the caller's config says about the run, which can be read without the config."""
    given = run.config.get("metadata")
    return serializer.dumps(dict(given)) if given else b""


def decode_metadata(blob: bytes, serializer: JsonPlusSerializer) -> dict[str, Any]:
    """Return the metadata of a run; CorruptRecord for what is none."""
    found = serializer.loads(blob) if blob else {}
    if not isinstance(found, dict):
        msg = f"The stored metadata of a run is not a dict but {brief(found)}."
        raise CorruptRecord(msg)
    return found


def decode_config(blob: bytes, serializer: JsonPlusSerializer) -> RunConfig:
    """Return the config of a record; an empty one for a run that stored none."""
    if not blob:
        return RunConfig({}, None, None, DEFAULT_RECURSION_LIMIT, frozenset(), frozenset(), {})
    packed = serializer.loads(blob)
    match fields_of(Kind.config, packed):
        case [
            dict(config),
            context,
            run_id,
            int(limit),
            list(before),
            list(after),
            dict(meta),
            *replay,
        ]:
            stops = frozenset(before), frozenset(after)
            return RunConfig(config, context, run_id, limit, *stops, meta, _replay(replay))
        case _:
            raise corrupt(Kind.config, packed)


def _packed(replay: Replay | None) -> list[Any]:
    if replay is None:
        return []
    origins = {path: list(origin) for path, origin in replay.origins.items()}
    # Of one that brings no answer the record is as short as ever.
    return [replay.since, replay.at, origins, *([True] if replay.answers else [])]


def _replay(packed: list[Any]) -> Replay | None:
    match packed:
        case []:
            return None
        case [str(since), str(at), dict(origins), *answers]:
            begins = {path: _origin(found) for path, found in origins.items()}
            return Replay(since, at, begins, bool(answers))
        case _:
            raise corrupt(Kind.config, packed)


def _origin(packed: Any) -> tuple[str, str]:
    match packed:
        case [str(name), str(cp)]:
            return name, cp
        case _:
            raise corrupt(Kind.config, packed)
