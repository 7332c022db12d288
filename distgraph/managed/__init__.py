"""State keys that a run fills in by itself: how many supersteps are left of it."""

from __future__ import annotations

from distgraph.managed.is_last_step import IsLastStep, RemainingSteps

__all__ = ["IsLastStep", "RemainingSteps"]
