"""A key whose value lasts as long as the run, and is stored nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from distgraph.channels.base import MISSING, BaseChannel
from distgraph.errors import InvalidUpdateError

if TYPE_CHECKING:
    from collections.abc import Sequence


class UntrackedValue(BaseChannel):
    """Keeps the last write until the run ends; with ``guard``, takes one write per superstep.

    For what cannot be stored, or must not be. A run that goes on from what is stored begins without
    it, and so does every superstep on workers.
    """

    stored = False

    def __init__(self, typ: Any, guard: bool = True) -> None:
        super().__init__(typ)
        self.guard = guard

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the last write."""
        del value
        if self.guard and len(writes) != 1:
            msg = (
                f"At key '{key}': UntrackedValue(guard=True) can receive only one value per step. "
                "Use guard=False if you want to store any one of multiple values."
            )
            raise InvalidUpdateError(msg)
        return writes[-1]

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """Return such a channel, which is empty."""
        del checkpoint
        return super().from_checkpoint(MISSING)

    def checkpoint(self) -> Any:
        """Return MISSING: nothing of it is stored."""
        return MISSING

    def describe(self) -> str:
        """Return the rule with its guard."""
        return f"UntrackedValue({self.guard})"
