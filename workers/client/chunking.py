"""Turns what is told of a run into chunks with ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from distgraph.core.model import Interrupted, ThreadState
from distgraph.core.plan import plan
from distgraph.core.snapshot import current_values
from distgraph.levels import placed_chunks
from distgraph.streaming import INTERRUPT, View

from .marks import Gap, Position, Superseded


@dataclass(slots=True)
class Chunker:
    """Numbers the chunks of each entry, over all modes and levels, and leaves out what was seen.

    ``ids`` and ``subgraphs``: what the caller is given with each. Who keeps no ids is not told of
    attempts.
    """

    view: View
    at: Position
    ids: bool = True
    subgraphs: bool = False
    count: int = 0

    def take(self, told: Any) -> Iterator[tuple[Any, ...]]:
        """Yield what the caller gets of what is told next."""
        match told:
            case Position():
                self.at, self.count = told, 0
            case Gap(after=after):
                yield self._wrapped(after, "", "gap", _gap(self.view, told))
            case Superseded():
                if self.ids and (self.subgraphs or not told.ns):
                    chunk = self._next(told.ns, "superseded", _superseded(told))
                    yield from (chunk,) if chunk else ()
            case _:
                for placed in placed_chunks(self.view, told, subgraphs=self.subgraphs):
                    if chunk := self._next(*placed):
                        yield chunk

    def _next(self, ns: str, mode: str, payload: Any) -> tuple[Any, ...] | None:
        number = self.count
        self.count += 1
        if number < self.at.seen:
            return None
        return self._wrapped(f"{self.at.id}.{number}", ns, mode, payload)

    def _wrapped(self, name: str, ns: str, mode: str, payload: Any) -> tuple[Any, ...]:
        place = (tuple(ns.split("|")) if ns else (),) if self.subgraphs else ()
        return (*((name,) if self.ids else ()), *place, mode, payload)


def _superseded(told: Superseded) -> dict[str, Any]:
    return {"id": told.id, "name": told.node, "attempt": told.attempt}


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
