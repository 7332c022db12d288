"""Takes one line of one script out at a time, and tells which of them no test misses."""
