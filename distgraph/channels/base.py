"""The channel contract: a channel is a merge rule.

The engine keeps values apart from it. Who tries a rule out by hand has a channel that holds one, as
LangGraph's do: ``from_checkpoint``, ``update``, ``get``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

from distgraph._elsewhere import missing_in
from distgraph.errors import EmptyChannelError

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
    stored = True
    """Whether what is held is stored with a checkpoint."""
    veiled = False
    """Whether nodes and callers see something else than what is held."""
    identify: Identify | None = None
    """Gives ids to the items of a write that have none."""

    key: str = ""
    """The name under which errors tell of it, where it holds a value itself."""
    _held: Any = MISSING

    def __init__(self, typ: Any) -> None:
        self.typ = typ

    def __eq__(self, other: object) -> bool:
        """Whether both are the same rule, of whatever type and value."""
        return isinstance(other, BaseChannel) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash(self.describe())

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

    def seen(self, value: Any) -> Any:
        """Return what nodes and callers see of ``value``, or MISSING."""
        return value

    def consumed(self, value: Any) -> Any:
        """Return what ``value`` becomes when a node has run because of it."""
        return value

    def finished(self, value: Any) -> Any:
        """Return what ``value`` becomes when nothing else is left to run."""
        return value

    def describe(self) -> str:
        """Return what makes two channels the same rule, for the graph's fingerprint."""
        return type(self).__name__

    # --- a channel that holds a value ----------------------------------------------------

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """Return such a channel that holds what ``checkpoint()`` gave, or MISSING."""
        made = self.copy()
        made._held = checkpoint  # noqa: SLF001 of the same class
        return made

    def copy(self) -> Self:
        """Return such a channel that holds the same value."""
        return copy(self)

    def checkpoint(self) -> Any:
        """Return what is held, or MISSING."""
        return self._value()

    def _value(self) -> Any:
        return self.initial() if self._held is MISSING else self._held

    def get(self) -> Any:
        """Return what is held; EmptyChannelError when that is nothing."""
        held = self.seen(self._value())
        if held is MISSING:
            msg = f"The channel {self.key or type(self).__name__} holds no value: write one first."
            raise EmptyChannelError(msg)
        return held

    def is_available(self) -> bool:
        """Whether it holds a value."""
        return self.seen(self._value()) is not MISSING

    def update(self, values: Sequence[Any]) -> bool:
        """Take the writes of a superstep, which may be none; return whether that changed anything.

        Raises InvalidUpdateError for writes that the rule does not allow.
        """
        held = self._value()
        if not values and not (self.volatile and held is not MISSING):
            return False
        self._held = self.merge(self.key, held, values)
        return bool(values) or self._held != held

    def consume(self) -> bool:
        """Take note that a node has run on it; return whether that changed anything."""
        return self._becomes(self.consumed(self._value()))

    def finish(self) -> bool:
        """Take note that nothing else is left to run; return whether that changed anything."""
        return self._becomes(self.finished(self._value()))

    def _becomes(self, value: Any) -> bool:
        before, self._held = self._value(), value
        return before is not value and before != value


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
