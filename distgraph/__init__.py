"""Graphs of nodes over shared state, run in supersteps, in this process or on any backend."""
