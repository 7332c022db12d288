"""What is known of each line from earlier runs, one small transaction a result."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.lines import Line, Mutant

FOLDER = Path(__file__).parents[2] / ".mutants"


@dataclass(frozen=True, slots=True)
class Result:
    """`by` is the test that fails without the line, '' when none does."""

    digest: str
    by: str = ""
    fault: str = ""

    @property
    def survives(self) -> bool:
        return not (self.by or self.fault)


class Results:
    """One result a line, the latest; it holds while the mutant's digest is the same."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS result (file TEXT, text TEXT, nth INTEGER, digest TEXT, "
            "by TEXT, fault TEXT, PRIMARY KEY (file, text, nth))"
        )

    def of(self, mutant: Mutant) -> Result | None:
        """Return what holds of this very mutant."""
        found = self._last(mutant.line)
        return found if found and found.digest == mutant.digest else None

    def killer(self, line: Line) -> str:
        """Return the test that missed the line once, '' when none did: worth to be tried first."""
        found = self._last(line)
        return found.by if found else ""

    def add(self, mutant: Mutant, *, by: str = "", fault: str = "") -> None:
        line = mutant.line
        row = (line.file, line.text, line.nth, mutant.digest, by, fault)
        self._db.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        self._db.close()

    def _last(self, line: Line) -> Result | None:
        row = self._db.execute(
            "SELECT digest, by, fault FROM result WHERE file = ? AND text = ? AND nth = ?",
            (line.file, line.text, line.nth),
        ).fetchone()
        return Result(*row) if row else None
