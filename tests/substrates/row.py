"""What a row of the table says: where the smoke program is run, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.substrates.kit import Kit


def nothing() -> None:
    """Do no harm."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a row is given: tools, an empty folder, and the Python that it runs with."""

    kit: Kit
    folder: Path
    python: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Servers that run: `server` names them; environments of the client, and of workers beside it.

    `harm` is called in the middle, when tasks run; `harmed` says what it does.
    """

    server: str
    client: Mapping[str, str]
    worker: Mapping[str, str] = field(default_factory=dict)
    harm: Callable[[], None] = nothing
    harmed: str = ""


def own(kit: Kit) -> Path:
    """Return the Python that runs this."""
    return kit.python


@dataclass(frozen=True, slots=True)
class Row:
    """One substrate; `packages` are those of Debian that it needs, by the programs they bring."""

    name: str
    place: Callable[[Ground], AbstractContextManager[Place]]
    python: Callable[[Kit], Path] = own
    pool: str = "prefork"
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row; `result` begins with passed, FAILED or not run."""

    row: Row
    result: str
    server: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.result.startswith("FAILED")
