"""Whether langchain-core is told of runs: where its runnables are loaded, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from distgraph.core.frame import Watch

RUNNABLES = "langchain_core.runnables.config"
Speak = Callable[[Any, Mapping[str, Any], bool], None]
"""Takes a message of a model, what stands with it, and whether it is whole."""


def watch(speak: Speak | None) -> Watch | None:
    """Return what watches an attempt at a task; None where there are no models to be watched."""
    if RUNNABLES not in sys.modules:
        return None
    from distgraph.messages.watching import NodeWatch  # noqa: PLC0415 only where it is loaded

    return NodeWatch(speak)
