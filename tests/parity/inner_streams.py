"""What a random program with graphs inside streams, in an order that is no matter of chance."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.nesting import Nest, Nested, build
from tests.parity.script import MOST_CALLS

MODES = ["values", "updates", "tasks"]


def is_plain(nested: Nested) -> bool:
    """Whether no graph inside was compiled with a checkpointer of its own."""
    return all(map(_is_plain, nested.nests))


def _is_plain(nest: Nest) -> bool:
    return nest.lasts is None and all(map(_is_plain, nest.nests))


def stream(engine: Engine, nested: Nested) -> list[Any]:
    """The chunks of all frames, from stop to stop; all that is asked is answered at once."""
    client, program = build(engine, nested), nested.program
    config = {**observe.thread(), "recursion_limit": program.limit}
    config["configurable"]["failures"] = 0
    stops = {"interrupt_before": list(program.before), "interrupt_after": list(program.after)}
    options = {"stream_mode": MODES, "subgraphs": True, **stops}
    given: Any = {"log": ["in"]}
    seen: list[Any] = []
    while len(seen) < MOST_CALLS:
        seen.append(observe.outcome(partial(_chunks, client, given, config, options)))
        if "error" in seen[-1] or not client.get_state(observe.thread()).next:
            break
        asked = observe.waiting(client.get_state(observe.thread()))
        answers = {one.id: f"yes to {one.value}" for one in asked}
        given = engine.Command(resume=answers) if answers else None
    return seen


def _chunks(client: Client, given: Any, config: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The chunks of each frame, those of frames with the same nodes around them side by side."""
    frames: dict[tuple[str, ...], list[Any]] = {}
    for place, mode, chunk in client.stream(given, config, **options):
        frames.setdefault(place, []).append((mode, _shown(mode, chunk)))
    found: dict[str, list[Any]] = {}
    for place, chunks in frames.items():
        path = "|".join(part.partition(":")[0] for part in place)
        found.setdefault(path, []).append(_ordered(chunks))
    return {path: sorted(each, key=repr) for path, each in found.items()}


def _shown(mode: str, chunk: Any) -> Any:
    if mode != "tasks":
        return observe.shown(chunk)
    told = {key: observe.shown(value) for key, value in chunk.items() if key != "id"}
    if "interrupts" in told:
        told["interrupts"] = sorted(str(one["value"]) for one in chunk["interrupts"])
    return told


def _ordered(chunks: list[Any]) -> list[Any]:
    """Chunks with what comes between two states in one order: siblings end in any."""
    ordered: list[Any] = []
    pending: list[Any] = []
    for mode, chunk in chunks:
        if mode == "values" and "__interrupt__" not in chunk:
            ordered += [*sorted(pending, key=repr), (mode, chunk)]
            pending = []
        else:
            pending.append((mode, chunk))
    return [*ordered, *sorted(pending, key=repr)]
