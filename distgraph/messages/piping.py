"""Graphs as Runnables of langchain-core, which its sequences, tools and the like are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableParallel


def known_as_runnable(cls: type) -> type[Runnable[Any, Any]]:
    """Have ``cls`` count as a Runnable for all that asks ``isinstance``; return Runnable."""
    Runnable.register(cls)
    return Runnable


def parallel(steps: Mapping[str, Any]) -> Any:
    """Return what calls each of ``steps`` on the same input; TypeError for what has no call."""
    return RunnableParallel(dict(steps))
