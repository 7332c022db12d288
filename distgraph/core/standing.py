"""How called graphs stand that a task goes on with: left by others, or stored by an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from distgraph.core.model import Errored, Result, ThreadState


@dataclass(frozen=True, slots=True)
class Risen:
    """How a frame stands whose tasks were run by others, and which can't go on by itself.

    It is finished, or asks, failed, was left, or is at a breakpoint. ``stop`` is the last step that
    it may take, ``released`` the checkpoint whose breakpoint was; ``failure``: why nothing follows
    its superstep. ``whole`` reads the rest of a failure.
    """

    stop: int
    released: str
    whole: Callable[[Errored], Errored]
    failure: Errored | None = None

    def as_left(self, state: ThreadState) -> ThreadState:
        """Return the ``state`` of the frame with all that there is to know of it."""
        results: dict[str, Result] = {
            tid: replace(self.whole(left), is_settled=True) if isinstance(left, Errored) else left
            for tid, left in state.results.items()
        }
        return replace(state, results=results, released=self.released)


@dataclass(frozen=True, slots=True)
class Replay:
    """What was stored of called graphs, for a run that begins at an older checkpoint of the root.

    ``since`` is an id between what was stored before the run and what it stores itself. Graphs that
    last stand as they stood before the checkpoint ``at``; those of ``origins`` start again: name
    without task ids -> (name, checkpoint). With ``answers`` the run brings one there, and only
    those start again, to take it.
    """

    since: str
    at: str
    origins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    answers: bool = False
