"""Keys that are there once all of a set of names were written to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distgraph.channels.base import MISSING, BaseChannel
from distgraph.errors import InvalidUpdateError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class NamedBarrierValue(BaseChannel):
    """Waits for every one of ``names`` to be written, over any number of supersteps.

    Then its value is None, until a node has run on it. What it holds is the set of the names that
    have come.
    """

    veiled = True

    def __init__(self, typ: Any, names: Collection[Any]) -> None:
        super().__init__(typ)
        self.names = frozenset(names)

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the names with the new ones; InvalidUpdateError for one that nobody waits for."""
        return self._added(key, set() if value is MISSING else value, writes)

    def _added(self, key: str, came: set[Any], writes: Sequence[Any]) -> set[Any]:
        for name in writes:
            if name not in self.names:
                msg = f"At key '{key}': Value {name} not in {set(self.names)}"
                raise InvalidUpdateError(msg)
        return {*came, *writes}

    def update(self, values: Sequence[Any]) -> bool:
        """Take the writes of a superstep; return whether a name is new."""
        before = self._held
        return super().update(values) and self._held != before

    def checkpoint(self) -> Any:
        """Return the set of the names that have come."""
        return set() if self._held is MISSING else self._held

    def seen(self, value: Any) -> Any:
        """Return None once all names have come."""
        return None if value == self.names else MISSING

    def consumed(self, value: Any) -> Any:
        """Return MISSING for all names: it begins anew."""
        return MISSING if value == self.names else value

    def describe(self) -> str:
        """Return the rule with its names."""
        return f"{type(self).__name__}({sorted(map(str, self.names))})"


class NamedBarrierValueAfterFinish(NamedBarrierValue):
    """Is there once all names have come and nothing else is left to run.

    What it holds is the set of the names that have come, and whether nothing else was left.
    """

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return the names with the new ones; InvalidUpdateError for one that nobody waits for."""
        came, ended = (set(), False) if value is MISSING else value
        return self._added(key, came, writes), ended

    def checkpoint(self) -> Any:
        """Return the set of the names that have come, and whether nothing else was left to run."""
        return (set(), False) if self._held is MISSING else self._held

    def seen(self, value: Any) -> Any:
        """Return None once all names have come and nothing else was left to run."""
        return None if value is not MISSING and value[1] else MISSING

    def consumed(self, value: Any) -> Any:
        """Return MISSING for what was seen: it begins anew."""
        return value if self.seen(value) is MISSING else MISSING

    def finished(self, value: Any) -> Any:
        """Return what is held now that nothing else is left to run."""
        is_full = value is not MISSING and value[0] == self.names
        return (value[0], True) if is_full else value
