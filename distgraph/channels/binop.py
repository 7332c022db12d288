"""A key whose writes are folded in by a reducer."""

from __future__ import annotations

import collections.abc as abstract
import operator as operators
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

from distgraph.channels.base import MISSING, BaseChannel, Identify
from distgraph.errors import InvalidUpdateError
from distgraph.types import Overwrite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

F = TypeVar("F", bound="Callable[..., Any]")
_APPENDS, _IDENTIFY = "__appends__", "__identify__"
_CONCRETE: dict[Any, type] = {
    abstract.Sequence: list,
    abstract.MutableSequence: list,
    abstract.Collection: list,
    abstract.Iterable: list,
    abstract.Set: set,
    abstract.MutableSet: set,
    abstract.Mapping: dict,
    abstract.MutableMapping: dict,
}


def appending(reducer: F) -> F:
    """Say that ``reducer`` puts what is new behind the items of a list, as ``operator.add`` does.

    It need not be so each time: what is not is stored as a whole.
    """
    setattr(reducer, _APPENDS, True)
    return reducer


def identifying(identify: Identify) -> Callable[[F], F]:
    """Say that a reducer gives ids to items without one, which ``identify`` can do before."""

    def mark(reducer: F) -> F:
        setattr(reducer, _IDENTIFY, identify)
        return reducer

    return mark


def _replacement(write: Any) -> Any:
    """Return what an overwriting ``write`` puts in place, or MISSING for an ordinary one."""
    match write:
        case Overwrite(value):
            return value
        case {"__overwrite__": value} if len(write) == 1:
            return value
        case {"type": str("__overwrite__"), "value": value}:
            return value
        case _:
            return MISSING


class BinaryOperatorAggregate(BaseChannel):
    """Folds each write into the value with ``operator``; an ``Overwrite`` replaces the value."""

    def __init__(self, typ: Any, operator: Callable[[Any, Any], Any]) -> None:
        super().__init__(typ)
        self.operator = operator
        origin = get_origin(typ) or typ
        self._make = _CONCRETE.get(origin, origin)
        self.identify = getattr(operator, _IDENTIFY, None)
        self.appends: bool = operator is operators.add or getattr(operator, _APPENDS, False)

    def initial(self) -> Any:
        """Return the empty value of the key's type, or MISSING when the type cannot make one."""
        try:
            return self._make()
        except Exception:  # noqa: BLE001 a type without an empty value is not an error
            return MISSING

    def merge(self, key: str, value: Any, writes: Sequence[Any]) -> Any:
        """Fold ``writes`` in order; what stands before or after an Overwrite has no effect."""
        replaced = [new for write in writes if (new := _replacement(write)) is not MISSING]
        if len(replaced) > 1:
            msg = f"At key '{key}': Can receive only one Overwrite value per super-step."
            raise InvalidUpdateError(msg)
        if replaced:
            return replaced[0]
        folded = self.initial() if value is MISSING else value
        for write in writes:
            folded = write if folded is MISSING else self.operator(folded, write)
        return folded

    def describe(self) -> str:
        """Return the rule with its reducer's name."""
        return f"BinaryOperatorAggregate({getattr(self.operator, '__qualname__', '')})"
