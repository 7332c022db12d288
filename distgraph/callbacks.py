"""Handlers that hear when a run stops and when it goes on, beside those of langchain-core.

Where langchain-core is installed they are handlers of it too, and hear all that those hear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from distgraph._elsewhere import missing_in
from distgraph.messages.langchain import handler_class
from distgraph.types import Interrupt

__all__ = [
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
]

GraphLifecycleStatus: TypeAlias = Literal[
    "input", "pending", "done", "interrupt_before", "interrupt_after", "out_of_steps"
]
"""How a run stands; "pending": in the middle, with tasks to run or to be answered."""


@dataclass(frozen=True, slots=True)
class GraphInterruptEvent:
    """A run has stopped: at questions, or at a static breakpoint, which has no ``interrupts``.

    ``run_id`` is that of the config, or one made up for this run. ``checkpoint_id`` is where the
    thread stands. ``checkpoint_ns`` is empty: runs inside others have no events of their own.
    """

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]
    interrupts: tuple[Interrupt, ...]


@dataclass(frozen=True, slots=True)
class GraphResumeEvent:
    """A run goes on from what is stored instead of beginning with an input."""

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]


GraphLifecycleEvent: TypeAlias = GraphInterruptEvent | GraphResumeEvent

if TYPE_CHECKING:

    class _Handler:
        raise_error: bool
        run_inline: bool
else:
    _Handler = handler_class()


class GraphCallbackHandler(_Handler):
    """Hears of the runs whose config has it among its ``callbacks``; the names are LangGraph's.

    Methods may be coroutines, also where the graph is called blocking. What they raise is logged,
    unless ``raise_error`` is true: then it ends the call, whose run is stored as it stood.
    On a backend they are called in the process that waits for the run: nobody waits for one that
    was submitted.
    """

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """Hear that a run has stopped."""

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """Hear that a run goes on."""


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
