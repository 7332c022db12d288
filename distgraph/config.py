"""What code inside a node may ask of its run without taking it as a parameter."""

from __future__ import annotations

from typing import Any

from distgraph import _frame
from distgraph.types import StreamWriter


def get_config() -> dict[str, Any]:
    """Return the config of the running node; RuntimeError outside of a node."""
    return _frame.current("get_config()").config


def get_store() -> Any:
    """Return the store of the running node, None without one; RuntimeError outside of a node."""
    return _frame.current("get_store()").runtime.store


def get_stream_writer() -> StreamWriter:
    """Return what streams chunks in the custom mode; RuntimeError outside of a node."""
    return _frame.current("get_stream_writer()").emit
