"""The ``distgraph`` command."""

from __future__ import annotations

from .program import main

__all__ = ["main"]
