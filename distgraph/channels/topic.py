"""A key that collects everything written in a superstep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from distgraph.channels.base import MISSING, BaseChannel


def _flat(writes: Sequence[Any]) -> Iterator[Any]:
    for write in writes:
        if isinstance(write, list):
            yield from write
        else:
            yield write


class Topic(BaseChannel):
    """A list of all writes (lists flattened one level); with ``accumulate``, of all supersteps."""

    def __init__(self, typ: Any, accumulate: bool = False) -> None:
        super().__init__(typ)
        self.accumulate = accumulate
        self.volatile = not accumulate

    @property
    def ValueType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """A sequence of what was written."""
        return Sequence[self.typ]  # type: ignore[name-defined]

    @property
    def UpdateType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """One value, or a list of them."""
        return self.typ | list[self.typ]  # type: ignore[name-defined]

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the collected writes, or MISSING when there are none."""
        del key
        kept = value if self.accumulate and value is not MISSING else []
        return [*kept, *_flat(writes)] or MISSING

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """Return such a channel that holds what ``checkpoint()`` gave; of an empty list nothing."""
        return super().from_checkpoint(MISSING if checkpoint == [] else checkpoint)

    def checkpoint(self) -> Any:
        """Return the list of what is held, which may be empty."""
        held = self._value()
        return [] if held is MISSING else held

    def describe(self) -> str:
        """Return the rule with its mode."""
        return f"Topic({self.accumulate})"
