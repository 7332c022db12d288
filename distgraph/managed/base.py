"""What a managed value is: a state key that nobody writes and nothing stores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class ManagedValue(ABC):
    """Tells of a superstep what nodes find under the keys that are annotated with it."""

    @staticmethod
    @abstractmethod
    def get(step: int, stop: int) -> Any:
        """Return the value in the superstep ``step`` of a run whose last is ``stop``."""


Managed = type[ManagedValue]
