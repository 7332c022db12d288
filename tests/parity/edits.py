"""Updates of graphs that wait inside tasks, at their newest checkpoints or at older ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import langgraph.errors
from hypothesis import reject

from tests.parity import observe
from tests.parity.engines import Client


@dataclass(frozen=True, slots=True)
class Edit:
    """What is updated, between two calls: graphs in tasks of the root, or those `innermost`.

    `back` counts checkpoints from the newest, up to the oldest; `speaks`: written as what waits.
    """

    innermost: bool = False
    back: int = 0
    speaks: bool = False


def edited(client: Client, edit: Edit) -> list[Any]:
    """Update every graph that waits where `edit` says; what came of it.

    A program is passed over where the reference cannot show a state in which siblings have written
    what does not go together; here it is shown.
    """
    try:
        whole = client.get_state(observe.thread(), subgraphs=True)
    except langgraph.errors.InvalidUpdateError:
        reject()
    found = list(_innermost(whole) if edit.innermost else _waiting(whole))
    return [observe.outcome(partial(_update, client, each, edit)) for each in found]


def _waiting(snapshot: Any) -> Iterator[Any]:
    """The graphs that wait in tasks of the one that is shown."""
    for task in observe.listed(snapshot):
        if task.result is None and getattr(task.state, "next", None):
            yield task.state


def _innermost(snapshot: Any) -> Iterator[Any]:
    """The graphs that wait and in which no other one does."""
    for inner in _waiting(snapshot):
        further = list(_innermost(inner))
        yield from further or [inner]


def _update(client: Client, shown: Any, edit: Edit) -> Any:
    known = shown.config["configurable"]
    frame = {"configurable": {k: known[k] for k in ("thread_id", "checkpoint_ns")}}
    history = client.history(frame)
    old = history[min(edit.back, len(history) - 1)]
    author = observe.following(shown)[0] if edit.speaks else None
    client.update_state(old.config, {"log": ["edit"], "last": "edit"}, author)
    return observe.state(client.get_state(frame))
