"""What a node may know about its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph import _frame
from distgraph._elsewhere import missing_in
from distgraph._runtime import (
    DEFAULT_RUNTIME,
    ExecutionInfo,
    RunControl,
    Runtime,
    ServerInfo,
)
from distgraph.typing import ContextT


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """Return the runtime of the running node; RuntimeError outside of a node.

    ``context_schema`` only tells type checkers what ``context`` is.
    """
    del context_schema
    runtime: Runtime[ContextT] = _frame.current("get_runtime()").runtime
    return runtime


__all__ = [
    "DEFAULT_RUNTIME",
    "ExecutionInfo",
    "RunControl",
    "Runtime",
    "ServerInfo",
    "get_runtime",
]

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
