"""Benchmarks: each row times the same work here and at a peer, in turn, and checks both results."""
