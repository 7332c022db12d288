"""A key that lives for the one superstep after the write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import MISSING, BaseChannel
from distgraph.errors import InvalidUpdateError

if TYPE_CHECKING:
    from collections.abc import Sequence


class EphemeralValue(BaseChannel):
    """Forgets its value in the next superstep; with ``guard``, takes one write per superstep."""

    volatile = True

    def __init__(self, typ: Any, guard: bool = True) -> None:
        super().__init__(typ)
        self.guard = guard

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the last write, or MISSING when there was none."""
        del value
        if self.guard and len(writes) > 1:
            msg = (
                f"At key '{key}': EphemeralValue(guard=True) can receive only one value per step. "
                "Use guard=False if you want to store any one of multiple values."
            )
            raise InvalidUpdateError(msg)
        return writes[-1] if writes else MISSING

    def describe(self) -> str:
        """Return the rule with its guard."""
        return f"EphemeralValue({self.guard})"
