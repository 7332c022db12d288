"""The benchmarks' command: ``python -m bench``; ends with 1 when a peer is faster."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.harness import measure
from bench.report import save, slower, table
from bench.rows import ROWS
from bench.stage import before, peers, stage

PAIRS = 5
SLOWER = 1.05
"""How much slower than an earlier checkout a row may be."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="One pair instead of five.")] = False,
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
    rows = tuple(row for row in rows if only in row.title)
    say = partial(Console(stderr=True).print, style="dim")
    found = measure(rows, partial(stage, peer), 1 if quick else PAIRS, say)
    Console(width=None if sys.stdout.isatty() else 120).print(table(found))
    if json is not None:
        save(found, json)
    if late := slower(found):
        raise SystemExit("Slower than the peer: " + "; ".join(late))


if __name__ == "__main__":
    typer.run(main)
