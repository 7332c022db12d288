"""What a node may know about its run."""

from __future__ import annotations

from typing import Any

from distgraph import _frame
from distgraph.types import ExecutionInfo, Runtime


def get_runtime(context_schema: Any = None) -> Runtime[Any]:
    """Return the runtime of the running node; RuntimeError outside of a node.

    ``context_schema`` only tells type checkers what ``context`` is.
    """
    del context_schema
    runtime: Runtime[Any] = _frame.current("get_runtime()").runtime
    return runtime


__all__ = ["ExecutionInfo", "Runtime", "get_runtime"]
