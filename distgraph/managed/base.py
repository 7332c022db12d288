"""What a managed value is: a state key that nobody writes and nothing stores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from distgraph._elsewhere import missing_in


class ManagedValue(ABC):
    """Tells of a superstep what nodes find under the keys that are annotated with it."""

    @staticmethod
    @abstractmethod
    def get(step: int, stop: int) -> Any:
        """Return the value in the superstep ``step`` of a run whose last is ``stop``."""


Managed = type[ManagedValue]

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
