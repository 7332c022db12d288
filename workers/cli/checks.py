"""What a doctor says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; a problem makes the whole unhealthy, a warning does not."""

    name: str
    level: Level
    detail: str
