"""Interrupts that a node raised as they are, and did not ask: NodeInterrupt and its like."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from distgraph.core.frame import TaskFrame
from distgraph.errors import GraphInterrupt


def ask_raised(frame: TaskFrame, signals: Iterable[GraphInterrupt]) -> None:
    """Ask what was raised and not asked; its ids are of this package, as those of all questions.

    An answer to it has the node run again, and is there for what that asks; it says nothing to what
    is raised again. Raises RuntimeError where nobody could ever answer.
    """
    outer = frame.invocation.asker
    asked = [*frame.pending, *frame.heard.values(), *(outer.frame.pending if outer else ())]
    known = {question.interrupt.id for question in asked}
    for signal in signals:
        for raised in signal.interrupts:
            if raised.id not in known:
                _ask(frame, raised.value)


def _ask(frame: TaskFrame, value: object) -> None:
    with suppress(GraphInterrupt):
        while True:
            frame.ask(value)
