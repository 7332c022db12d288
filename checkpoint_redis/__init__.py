"""Keeps the checkpoints and the open supersteps of graphs in plain Redis."""
