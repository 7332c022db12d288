"""The measured rows as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.table import Table

from bench.harness import Measured


def table(rows: Sequence[Measured]) -> Table:
    """Return a table: medians in microseconds per unit, ratios with their spread."""
    made = Table(title="microseconds per unit; ratio = ours / peer, below 1 is faster")
    made.add_column("ours / peer")
    made.add_column("unit")
    for name in ("ours", "peer", "ratio", "spread"):
        made.add_column(name, justify="right")
    for row in rows:
        made.add_row(row.row.title, row.row.unit, *_figures(row))
    return made


def _figures(row: Measured) -> tuple[str, str, str, str]:
    ours = f"{median(row.ours):,.0f}"
    if row.ratio is None:
        return ours, "", "", f"{min(row.ours):,.0f} - {max(row.ours):,.0f}"
    colour = "green" if row.ratio < row.row.most else "red"
    spread = f"{min(row.ratios):.2f} - {max(row.ratios):.2f}"
    return ours, f"{median(row.peer):,.0f}", f"[{colour}]{row.ratio:.2f}[/]", spread


def save(rows: Sequence[Measured], path: Path) -> None:
    """Write all times and ratios to ``path``."""
    path.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")


def slower(rows: Sequence[Measured]) -> list[str]:
    """Return the titles of the rows that took so much longer than the peer as is too much."""
    return [row.row.title for row in rows if row.ratio is not None and row.ratio >= row.row.most]
