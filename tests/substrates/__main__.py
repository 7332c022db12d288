"""``python -m tests.substrates [WORD...]``: the smoke program on all substrates, or on some."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.substrates.kit import Kit, apt_install, can_install, missing
from tests.substrates.row import Outcome, Row
from tests.substrates.rows import ROWS, chosen
from tests.substrates.running import run
from tests.substrates.table import table
from tests.support.processes import ROOT

DOCUMENT = ROOT / "docs" / "substrates.md"
MARK = "<!-- make substrates writes what follows -->\n"


def main(words: Sequence[str]) -> int:
    """Run the rows whose names contain any of the words; return 1 if one failed, 2 without any.

    All rows together are written into the documents.
    """
    rows = chosen(list(words))
    if not rows:
        say(f"There is no row with {' '.join(words)}: {', '.join(row.name for row in ROWS)}")
        return 2
    install(rows)
    with tempfile.TemporaryDirectory(prefix="dg-substrates-") as folder:
        outcomes = list(run_all(rows, Path(folder)))
    say("")
    say(table(outcomes))
    if rows == ROWS:
        write(outcomes)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def install(rows: Sequence[Row]) -> None:
    """Install the packages of Debian's that the rows lack, where this may be done."""
    lacking = sorted({name for row in rows for name in missing(row.packages)})
    if lacking and can_install():
        say(f"installing by apt-get, as root: {', '.join(lacking)}")
        if wrong := apt_install(lacking):
            say(f"    that failed: {wrong}")


def run_all(rows: Sequence[Row], folder: Path) -> list[Outcome]:
    kit, outcomes = Kit(folder / "kit"), []
    for number, row in enumerate(rows):
        say(row.name)
        began = time.monotonic()
        outcomes.append(run(row, kit, folder / str(number), say))
        say(f"    {outcomes[-1].result} ({time.monotonic() - began:.0f} s)")
    return outcomes


def write(outcomes: Sequence[Outcome]) -> None:
    """Put the table in the place of the one that the document has."""
    before, _, _ = DOCUMENT.read_text().partition(MARK)
    DOCUMENT.write_text(f"{before}{MARK}\n{table(outcomes)}")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program of the command line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
