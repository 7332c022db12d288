"""Messages that a node streams and writes while it runs, beside what it returns."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Node
from distgraph.core.model import Completed

log = logging.getLogger(__name__)


def push(frame: TaskFrame, message: Any, key: str | None) -> None:
    """Show ``message`` to who hears the run's messages, and keep it for the state key ``key``."""
    if frame.speak is not None:
        frame.speak(message, _about(frame), False)
    if key is None:
        return
    if frame.graph is not None and key in frame.graph.channels:
        frame.pushed.append((key, message))
        return
    log.warning(
        "A message that node '%s' pushed is not kept: its graph has no state key '%s'. "
        "push_message(..., state_key=None) keeps none.",
        frame.task.node,
        key,
    )


def with_pushed(read: Completed, node: Node, frame: TaskFrame) -> Completed:
    """Return what a task leaves: what it has pushed comes before what it returns."""
    if not frame.pushed or node.returns is not None:
        return read
    return replace(read, writes=(*frame.pushed, *read.writes))


def _about(frame: TaskFrame) -> Mapping[str, Any]:
    """Return what stands with a message; inside of another graph also where that runs."""
    metadata = frame.config["metadata"]
    inside = {"checkpoint_ns": frame.own_ns.partition("|")[0]} if frame.ns else {}
    return {**metadata, **inside}
