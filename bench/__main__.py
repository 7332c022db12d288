"""The benchmarks' command: ``python -m bench``; ends with 1 when a peer is faster."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.harness import Measured, measure
from bench.report import save, slower, table
from bench.rows import ROWS
from bench.stage import Stage, stage

PAIRS = 5


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="One pair a row instead of five.")] = False,
    only: Annotated[str, typer.Option(help="Only rows whose title contains this.")] = "",
) -> None:
    """Compare with Celery's chain and chord and with LangGraph.

    BENCH_PEERS is the interpreter of the environment that the peers live in, by default this one.
    """
    peers = os.environ.get("BENCH_PEERS", sys.executable)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stage(Path(folder), peers) as at:
        rows = _measure(at, 1 if quick else PAIRS, only)
    Console(width=None if sys.stdout.isatty() else 120).print(table(rows))
    if json is not None:
        save(rows, json)
    if late := slower(rows):
        raise SystemExit("Slower than the peer: " + "; ".join(late))


def _measure(at: Stage, pairs: int, only: str) -> list[Measured]:
    console = Console(stderr=True)
    found = []
    for row in ROWS:
        if only in row.title:
            console.print(f"{row.title} ...", style="dim")
            found.append(measure(row, at.ours, at.peer, pairs))
    return found


if __name__ == "__main__":
    typer.run(main)
