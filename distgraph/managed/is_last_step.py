"""How many supersteps the recursion limit leaves a run, and whether one is the last.

The names and the counting are LangGraph's.
"""

from __future__ import annotations

from typing import Annotated

from distgraph.managed.base import ManagedValue


class IsLastStepManager(ManagedValue):
    """Whether the run fails by its recursion limit unless it ends with this superstep."""

    @staticmethod
    def get(step: int, stop: int) -> bool:
        """Return whether the limit leaves no superstep with work to do behind this one."""
        return step == stop - 1


class RemainingStepsManager(ManagedValue):
    """How many supersteps are left to the run by its recursion limit, this one among them."""

    @staticmethod
    def get(step: int, stop: int) -> int:
        """Return their number."""
        return stop - step


IsLastStep = Annotated[bool, IsLastStepManager]
RemainingSteps = Annotated[int, RemainingStepsManager]
