"""Graphs of nodes over shared state, run in supersteps, in this process or on any backend."""

from __future__ import annotations

from distgraph._elsewhere import explain

explain()
