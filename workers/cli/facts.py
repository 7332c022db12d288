"""What commands tell programs of a thread."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from distgraph.types import Interrupt

from ..client.listed import ThreadInfo, UnreadableValue


def facts_of(info: ThreadInfo, is_served: bool) -> dict[str, Any]:
    """Return what is told of a thread, besides what it asks."""
    return {
        "thread": info.id,
        "status": info.status,
        "graph": info.graph,
        "created": info.created,
        "updated": info.updated,
        "metadata": dict(info.metadata),
        "cursor": info.cursor,
        "run": info.run or None,
        "served": is_served,
        "deadline": info.deadline,
    }


def asks_of(interrupts: Iterable[Interrupt]) -> list[dict[str, Any]]:
    """Return the questions that wait; the deadline of those that have one."""
    return [_ask_of(each) for each in interrupts]


def _ask_of(interrupt: Interrupt) -> dict[str, Any]:
    known = {"id": interrupt.id, "value": value_of(interrupt)}
    return {**known, "deadline": interrupt.deadline} if interrupt.deadline else known


def until(deadline: datetime | None) -> str:
    """Return what is said of a question's deadline, behind what is asked."""
    return f" until {deadline:%Y-%m-%d %H:%M:%S} UTC" if deadline else ""


def value_of(interrupt: Interrupt) -> Any:
    """Return what is asked, or why that cannot be read here."""
    value = interrupt.value
    return str(value) if isinstance(value, UnreadableValue) else value
