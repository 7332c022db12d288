"""Turns what is told of a run into chunks with ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from distgraph.core.model import Interrupted, ThreadState
from distgraph.core.plan import plan
from distgraph.core.snapshot import current_values
from distgraph.streaming import INTERRUPT, View, chunks

from .marks import Gap, Position, Superseded

Numbered = tuple[str, str, Any]


@dataclass(slots=True)
class Chunker:
    """Numbers the chunks of each entry, over all modes, and leaves out those that were seen."""

    view: View
    at: Position
    count: int = 0

    def take(self, told: Any) -> Iterator[Numbered]:
        """Yield (id, mode, chunk) of what is told next."""
        match told:
            case Position():
                self.at, self.count = told, 0
            case Gap(after=after):
                yield after, "gap", _gap(self.view, told)
            case Superseded():
                yield from self._numbered("superseded", _superseded(told))
            case _:
                for mode, chunk in chunks(self.view, told):
                    yield from self._numbered(mode, chunk)

    def _numbered(self, mode: str, chunk: Any) -> Iterator[Numbered]:
        number = self.count
        self.count += 1
        if number >= self.at.seen:
            yield f"{self.at.id}.{number}", mode, chunk


def _superseded(told: Superseded) -> dict[str, Any]:
    return {"id": told.task.id, "name": told.task.node, "attempt": told.attempt}


def _gap(view: View, gap: Gap) -> dict[str, Any]:
    state = gap.state
    return {
        "after": gap.after,
        "values": None if state is None else _values(view, state),
        "next": () if state is None else _next(state),
        "status": gap.status,
    }


def _values(view: View, state: ThreadState) -> Any:
    values = view.values(current_values(view.graph, state))
    asked = [
        question.interrupt
        for result in state.results.values()
        if isinstance(result, Interrupted)
        for question in result.questions
    ]
    return {**values, INTERRUPT: asked} if asked and isinstance(values, dict) else values


def _next(state: ThreadState) -> tuple[str, ...]:
    """Return the nodes that are still to be run, or that ask."""
    left = (
        task
        for task in plan(state.checkpoint)
        if isinstance(state.results.get(task.id), Interrupted | None)
    )
    return tuple(task.node for task in left)
