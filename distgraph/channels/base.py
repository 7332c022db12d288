"""The channel contract: a channel is a merge rule and holds no value itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Missing(Enum):
    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


Identify = Callable[[Any, str], Any]
"""Returns a write with ids; they are made of the text, which no other write has."""
MISSING: Final = _Missing.MISSING
"""Stands for "no value was ever written"."""


class BaseChannel(ABC):
    """Merges the writes of a superstep into one state key."""

    volatile = False
    """Whether ``merge`` must also be asked in a superstep that writes nothing here."""
    appends = False
    """Whether what is merged in usually stands behind what was there, in a list."""
    identify: Identify | None = None
    """Gives ids to the items of a write that have none."""

    def __init__(self, typ: Any) -> None:
        self.typ = typ

    @property
    def ValueType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """The type of what is stored here."""
        return self.typ

    @property
    def UpdateType(self) -> Any:  # noqa: N802 the name is LangGraph's
        """The type of what may be written here."""
        return self.typ

    def initial(self) -> Any:
        """Return the value before the first write, or MISSING."""
        return MISSING

    @abstractmethod
    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Return ``value`` (or MISSING) with ``writes`` merged in, in order; mutates neither.

        Raises InvalidUpdateError, naming ``key``, when the rule does not allow these writes.
        """

    def describe(self) -> str:
        """Return what makes two channels the same rule, for the graph's fingerprint."""
        return type(self).__name__
