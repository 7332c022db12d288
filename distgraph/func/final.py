"""What a workflow returns that saves something else than it gives to its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

from typing_extensions import TypeVar

from distgraph.core.model import END, PREVIOUS, Write

ValueT = TypeVar("ValueT", default=Any)
SavedT = TypeVar("SavedT", default=Any)


@dataclass(frozen=True, slots=True, kw_only=True)
class Final(Generic[ValueT, SavedT]):
    """``value`` is what the caller gets, ``save`` what the next run finds as ``previous``."""

    value: ValueT
    save: SavedT


def writes_of(returned: Any) -> tuple[Write, ...]:
    """Return what a run of a workflow leaves that has ``returned`` this."""
    if isinstance(returned, Final):
        return ((END, returned.value), (PREVIOUS, returned.save))
    return ((END, returned), (PREVIOUS, returned))
