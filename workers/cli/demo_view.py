"""What people see of a demonstration: progress, the question, the result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich import progress as bars
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..backend import CeleryBackend
from .screen import Screen, plain, size, table

SHOWN = 5


class Progress:
    """A live bar: files parsed of all, per second, and the lines counted so far."""

    def __init__(self, screen: Screen) -> None:
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=30),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[lines]:,} lines"),
            bars.TimeElapsedColumn(),
            console=screen.console,
        )
        self._lines = 0
        self._task = self._bar.add_task("Waiting for the workers", total=None, lines=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, update: Mapping[str, Any]) -> None:
        """Show what one task has written."""
        match update:
            case {"plan": {"paths": list(paths)}}:
                self._bar.update(self._task, description="Parsing", total=len(paths))
            case {"parse": {"files": [file, *_]}}:
                self._lines += file["lines"]
                self._bar.update(self._task, advance=1, lines=self._lines)
            case {"parse": _}:
                self._bar.update(self._task, advance=1)
            case {"summarise": _}:
                self._bar.update(self._task, description="Counted")
            case _:
                pass


def summary(
    screen: Screen, question: Mapping[str, Any], seconds: float | None, speed: float | None
) -> None:
    """Show the question with the totals and the first lines of the rankings."""
    rankings = question["rankings"]
    shown = Group(
        _totals(question["totals"]),
        Text(),
        _ranking("Largest packages, in lines", rankings["packages"]),
        Text(),
        _ranking("Longest functions, in lines", rankings["longest_functions"]),
    )
    title = Text.assemble("Census of ", plain(question["root"]))
    took = f"{seconds:.1f} s, {speed:,.0f} files/s" if seconds and speed else None
    screen.console.print(Panel(shown, title=title, subtitle=took, expand=False, padding=(1, 2)))


def _totals(totals: Mapping[str, int]) -> Table:
    labels = ("files", "lines", "code", "functions", "classes", "undocumented", "unreadable")
    shown = table(*labels)
    for column in shown.columns:
        column.justify = "right"
    shown.add_row(*(f"{totals[label]:,}" for label in labels))
    return shown


def _ranking(title: str, lines: list[Mapping[str, Any]]) -> Table:
    shown = table(title, "")
    shown.columns[1].justify = "right"
    for line in lines[:SHOWN]:
        shown.add_row(plain(line["name"]), f"{line['count']:,}")
    return shown


def finished(screen: Screen, published: list[str], seconds: float) -> None:
    """Say where the report is, or that there is none."""
    if not published:
        screen.note("Refused: nothing was published.")
        return
    screen.note(f"Published {seconds:.1f} s after the answer:")
    for path in published:
        screen.line(f"    {path}")


def stored(screen: Screen, backend: CeleryBackend, thread_id: str) -> None:
    """Say what Redis holds while the question is pending."""
    client: Any = backend.ledger.client
    thread = backend.thread_key(thread_id)
    taken = {
        key.decode(): client.memory_usage(key, samples=0) or 0
        for key in client.scan_iter(match=f"{thread.prefix}*", count=1_000)
    }
    told = taken.pop(thread.events, 0)
    counted = taken.pop(thread.checkpoints, 0)
    screen.note(
        f"Redis holds {size(counted)} of counts, {size(sum(taken.values()))} "
        f"for the question that waits, and {size(told)} of events that expire in five minutes."
    )


def at_rest(screen: Screen, folder: Path, workers: int) -> None:
    """Say that nothing runs, what is on the disk, and how to go on."""
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    screen.note(
        f"Detached: {workers} workers and Redis have ended, no process, socket or message is left; "
        f"{size(held)} on disk in {folder}."
    )
    screen.note("This starts them again, answers the question, and finishes:")
