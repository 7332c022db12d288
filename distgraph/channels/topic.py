"""A key that collects everything written in a superstep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import MISSING, BaseChannel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _flat(writes: Sequence[Any]) -> Iterator[Any]:
    for write in writes:
        if isinstance(write, list):
            yield from write
        else:
            yield write


class Topic(BaseChannel):
    """A list of all writes (lists flattened one level); with ``accumulate``, of all supersteps."""

    volatile = True

    def __init__(self, typ: Any, accumulate: bool = False) -> None:
        super().__init__(typ)
        self.accumulate = accumulate

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the collected writes, or MISSING when there are none."""
        del key
        kept = value if self.accumulate and value is not MISSING else []
        return [*kept, *_flat(writes)] or MISSING

    def describe(self) -> str:
        """Return the rule with its mode."""
        return f"Topic({self.accumulate})"
