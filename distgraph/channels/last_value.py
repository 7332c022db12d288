"""A key that keeps the last value and takes one write per superstep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import BaseChannel
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
