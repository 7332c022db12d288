"""Keys that keep the last value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import MISSING, BaseChannel
from distgraph.errors import InvalidUpdateError

if TYPE_CHECKING:
    from collections.abc import Sequence


class LastValue(BaseChannel):
    """Stores the value written; two writes in one superstep are an error."""

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the only write."""
        del value
        if len(writes) != 1:
            msg = (
                f"At key '{key}': Can receive only one value per step. "
                "Use an Annotated key to handle multiple values."
            )
            raise InvalidUpdateError(msg)
        return writes[0]


class LastValueAfterFinish(BaseChannel):
    """Shows the last value once nothing else is left to run, until a node has run on it.

    What it holds is that value, and whether nothing else was left.
    """

    veiled = True

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the last write, which is not seen yet."""
        del key, value
        return writes[-1], False

    def seen(self, value: Any) -> Any:
        """Return the value once nothing else was left to run."""
        return value[0] if value is not MISSING and value[1] else MISSING

    def consumed(self, value: Any) -> Any:
        """Return MISSING for what was seen."""
        return value if self.seen(value) is MISSING else MISSING

    def finished(self, value: Any) -> Any:
        """Return what is held now that nothing else is left to run."""
        return value if value is MISSING else (value[0], True)
