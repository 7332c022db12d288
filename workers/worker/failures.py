"""Which failures of a job end a run, and which pass by themselves."""

from __future__ import annotations

from distgraph.errors import BrokerUnavailable, CorruptRecord, StoreError


def may_pass(error: Exception) -> bool:
    """Whether a later attempt may succeed: Redis or the broker was away, full, or not the master.

    The lease then runs out and the work is done again. A record that cannot be read stays so.
    """
    if isinstance(error, CorruptRecord):
        return False
    return isinstance(error, StoreError | BrokerUnavailable)
