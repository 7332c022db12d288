"""Runs of nested programs that begin at older checkpoints, of the root or of a graph inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.nesting import Nested, after, build, course_of, failed_alike
from tests.parity.script import drive

EDIT = {"log": ["edit"], "last": "edit"}


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: `place` counts checkpoints from the newest, around the end.

    `inside`: those of graphs in tasks; `edit`: what is found there is updated first.
    """

    place: int
    inside: bool = False
    edit: bool = False


def run_again(engine: Engine, nested: Nested, start: Start) -> dict[str, Any]:
    """Drive a nested program to its end, then once more from an older checkpoint.

    What calls gave, the states of all graphs after each, and the history.
    """
    client = build(engine, nested)
    seen: dict[str, Any] = {"states": []}

    def look() -> bool:
        seen["states"].append(observe.outcome(lambda: _whole(_state(client))))
        return False

    course = course_of(client, nested, look)
    first = drive(engine, client, course, {"log": ["in"]})
    seen["first"] = failed_alike(first)
    # What graphs beside a failed one have stored is chance.
    failed = any("error" in call["outcome"] for call in first)
    found = [] if failed else _found(client, start)
    if not found:
        return seen
    old = found[start.place % len(found)].config
    if start.edit:
        edited: list[Any] = []
        seen["edited"] = observe.kind(lambda: edited.append(client.update_state(old, EDIT)))
        old = edited[0] if edited else old
    again = drive(engine, client, course, None, old)
    return {**seen, "again": failed_alike(again), **after(client, again, course)}


def _state(client: Client) -> Any:
    return client.get_state(observe.thread(), subgraphs=True)


def now(seen: dict[str, Any]) -> Any:
    """What `run_again` saw but the history: what graphs inside had open is dropped on workers."""
    return observe.stored({key: seen[key] for key in seen if key != "history"})


def _whole(snapshot: Any) -> dict[str, Any]:
    """A state with those of the graphs in its tasks."""
    inside = [(one.name, _whole(one.state)) for one in observe.listed(snapshot) if one.state]
    return {**observe.state(snapshot), "inside": inside}


def _found(client: Client, start: Start) -> list[Any]:
    """The checkpoints to begin at, newest first."""
    found = client.history(observe.thread())
    return list(_inside(client, found)) if start.inside else found


def _inside(client: Client, found: list[Any]) -> Iterator[Any]:
    for snapshot in found:
        for task in (one for one in observe.listed(snapshot) if one.state):
            inner = client.history(task.state)
            yield from inner
            yield from _inside(client, inner)
