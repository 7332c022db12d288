"""The benchmarks' command: ``python -m bench``; ends with 1 when a peer is faster."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.harness import Measured, measure
from bench.report import save, slower, table
from bench.rows import ROWS, Row
from bench.stage import Stage, before, peers, stage

PAIRS = 5
SLOWER = 1.05
"""How much slower than an earlier checkout a row may be."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="One pair a row instead of five.")] = False,
    only: Annotated[str, typer.Option(help="Only rows whose title contains this.")] = "",
    against: Annotated[
        Path | None, typer.Option(help="Another checkout, with its .venv, instead of the peers.")
    ] = None,
) -> None:
    """Compare with Celery's chain and chord and with LangGraph, or with an earlier checkout.

    BENCH_PEERS is the interpreter of the environment that the peers live in, by default this one.
    """
    if against is None:
        peer, rows = peers(os.environ.get("BENCH_PEERS", sys.executable)), ROWS
    else:
        peer = before(against.resolve())
        rows = tuple(row.against("before", SLOWER) for row in ROWS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stage(Path(folder), peer) as at:
        found = _measure(at, rows, 1 if quick else PAIRS, only)
    Console(width=None if sys.stdout.isatty() else 120).print(table(found))
    if json is not None:
        save(found, json)
    if late := slower(found):
        raise SystemExit("Slower than the peer: " + "; ".join(late))


def _measure(at: Stage, rows: Sequence[Row], pairs: int, only: str) -> list[Measured]:
    console = Console(stderr=True)
    found = []
    for row in rows:
        if only in row.title:
            console.print(f"{row.title} ...", style="dim")
            found.append(measure(row, at.ours, at.peer, pairs))
    return found


if __name__ == "__main__":
    typer.run(main)
