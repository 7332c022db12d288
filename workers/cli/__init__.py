"""The ``distgraph`` command."""

from __future__ import annotations

from workers.cli.program import main

__all__ = ["main"]
