"""What the parent tells its workers, and what they tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A test as it runs on the scripts as they are: how long, and which scripts it calls."""

    id: str
    seconds: float = 0.0
    scripts: frozenset[str] = frozenset()
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """Run these tests on the scripts as they are. -> tuple[Known, ...]"""

    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """Run tests with `content` in place of a script's file, until one fails. -> its id, else ''"""

    file: str
    content: str
    tests: tuple[Known, ...]


Job = Measure | Try
