"""What random programs stream in drawn modes, with and without graphs inside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.nesting import Nested, build
from tests.parity.script import MOST_CALLS

MODES = ("values", "updates", "tasks", "checkpoints", "debug")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+")
UNORDERED = ("interrupts", "tasks", "next", "__interrupt__")
Chunk = tuple[tuple[str, ...], str, Any]


@dataclass(frozen=True, slots=True)
class Watch:
    """The modes that a run is streamed in, and how its chunks are told."""

    modes: tuple[str, ...]
    version: str = "v1"
    subgraphs: bool = False


def watches() -> st.SearchStrategy[Watch]:
    """One to three modes, in both versions of what is streamed."""
    modes = st.lists(st.sampled_from(MODES), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Watch, modes, st.sampled_from(["v1", "v2"]), st.booleans())


def watched(engine: Engine, nested: Nested, watch: Watch) -> list[Any]:
    """The chunks from stop to stop of what does not fail; all that is asked is answered at once."""
    client, program = build(engine, nested), nested.program
    config = {**observe.thread(), "recursion_limit": program.limit}
    config["configurable"]["failures"] = 0
    stops = {"interrupt_before": list(program.before), "interrupt_after": list(program.after)}
    given: Any = {"log": ["in"]}
    seen: list[Any] = []
    while len(seen) < MOST_CALLS:
        seen.append(observe.outcome(partial(_frames, client, given, config, watch, stops)))
        if "error" in seen[-1] or not client.get_state(observe.thread()).next:
            break
        asked = observe.waiting(client.get_state(observe.thread()))
        answers = {one.id: f"yes to {one.value}" for one in asked}
        given = engine.Command(resume=answers) if answers else None
    return seen


def _frames(
    client: Client, given: Any, config: Any, watch: Watch, stops: dict[str, Any]
) -> dict[str, Any]:
    """The chunks of each frame, those of frames with the same nodes around them side by side."""
    options = {"stream_mode": list(watch.modes), "subgraphs": watch.subgraphs, **stops}
    frames: dict[tuple[str, ...], list[Any]] = {}
    for found in client.stream(given, config, version=watch.version, **options):
        place, mode, chunk = _parted(found, watch)
        frames.setdefault(place, []).append((mode, chunk))
    shown: dict[str, list[Any]] = {}
    for place, chunks in frames.items():
        path = "|".join(part.partition(":")[0] for part in place)
        shown.setdefault(path, []).append(in_order(chunks))
    return {path: sorted(each, key=repr) for path, each in shown.items()}


def _parted(found: Any, watch: Watch) -> Chunk:
    """Return the namespace, the mode and the chunk of what a stream gave."""
    if watch.version == "v2":
        rest = {name: item for name, item in found.items() if name not in ("ns", "type", "data")}
        return found["ns"], found["type"], [found["data"], rest]
    place, mode, chunk = found if watch.subgraphs else ((), *found)
    return place, mode, chunk


def in_order(chunks: Iterable[tuple[str, Any]]) -> list[Any]:
    """Chunks with what comes between two checkpoints in one order: siblings end in any."""
    ordered: list[Any] = []
    pending: list[Any] = []
    for mode, chunk in chunks:
        if _closes(mode, chunk):
            ordered += [*sorted(pending, key=repr), (mode, _told(chunk))]
            pending = []
        else:
            pending.append((mode, _told(chunk)))
    return [*ordered, *sorted(pending, key=repr)]


def _closes(mode: str, chunk: Any) -> bool:
    data = chunk[0] if isinstance(chunk, list) else chunk
    asks = mode == "values" and "__interrupt__" in data
    return not asks and (
        mode in ("values", "checkpoints") or (mode == "debug" and data["type"] == "checkpoint")
    )


def _told(value: Any) -> Any:
    """`value` without ids and times, and with questions in one order."""
    if isinstance(value, dict):
        if value.keys() >= {"value", "id"}:
            return {"question": _told(value["value"])}
        return {_told(key): _told_of(key, item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_told, value))
    if isinstance(value, str):
        return TIME.sub("<time>", ID.sub("<id>", value))
    return observe.shown(value)


def _told_of(key: Any, item: Any) -> Any:
    """What a dict has under `key`.

    Beside the place of a checkpoint the reference has the run's own configurables in its config,
    distgraph in its metadata, as they are stored.
    """
    if key in ("configurable", "metadata") and isinstance(item, dict):
        item = {name: told for name, told in item.items() if name != "failures"}
    told = _told(item)
    return sorted(told, key=repr) if key in UNORDERED and isinstance(told, list | tuple) else told
