"""A key that assumes that all writes of a superstep are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import MISSING, BaseChannel

if TYPE_CHECKING:
    from collections.abc import Sequence


class AnyValue(BaseChannel):
    """Keeps the last write of the superstep and is empty after one that wrote nothing."""

    volatile = True

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the last write, or MISSING when there was none."""
        del key, value
        return writes[-1] if writes else MISSING
