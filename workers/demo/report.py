"""The published report: `report.json` for programs and `report.html`, one page for people."""

from __future__ import annotations

import json
import os
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .ranking import Ranked, Rankings, Totals

ROW_HEIGHT = 40
SHOWN_UNREADABLE = 200


class Unreadable(TypedDict):
    """A file or folder that was not counted, and why."""

    path: str
    reason: str


class Report(TypedDict):
    """What is published; `report.json` holds exactly this."""

    root: str
    python: str
    totals: Totals
    rankings: Rankings
    unreadable: list[Unreadable]


def write_report(folder: Path, report: Report) -> list[str]:
    """Write both files into `folder`, which is made if need be, and return their paths.

    Each file appears whole or not at all, and writing again changes nothing. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"report.json": as_json(report), "report.html": as_html(report)}
    for name, text in pages.items():
        replace_file(folder / name, text)
    return [str(folder / name) for name in pages]


def replace_file(path: Path, text: str) -> None:
    """Put `text` in place of the file in one step, so that no reader ever sees a part of it."""
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def as_json(report: Report) -> str:
    """Return the report as indented JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def as_html(report: Report) -> str:
    """Return the report as one page that needs nothing from elsewhere."""
    template = Template(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    rankings = report["rankings"]
    return template.substitute(
        root=escape(report["root"]),
        python=escape(report["python"]),
        figures=figures(report["totals"]),
        packages=bar_chart("Lines by package", rankings["packages"]),
        functions=bar_chart("Longest functions, in lines", rankings["longest_functions"]),
        largest=table(("File", "Lines"), rankings["largest_files"]),
        undocumented=table(("File", "Names"), rankings["most_undocumented"]),
        imported=table(("Module", "Importing files"), rankings["most_imported"]),
        unreadable=unreadable_section(report["unreadable"]),
    )


def figures(totals: Totals) -> str:
    """Return the totals as a row of figures with labels."""
    labelled = {
        "files": totals["files"],
        "lines": totals["lines"],
        "lines of code": totals["code"],
        "functions": totals["functions"],
        "async functions": totals["async_functions"],
        "classes": totals["classes"],
        "undocumented names": totals["undocumented"],
        "generated files": totals["generated"],
        "files not counted": totals["unreadable"],
    }
    return "".join(
        f"<div><dt>{label}</dt><dd>{count:,}</dd></div>" for label, count in labelled.items()
    )


def bar_chart(title: str, lines: Sequence[Ranked]) -> str:
    """Return a horizontal bar chart; its widths are shares, so it fits a page of any width."""
    if not lines:
        return '<p class="none">Nothing to show.</p>'
    greatest = max(line["count"] for line in lines)
    bars = "".join(bar(line, row, greatest) for row, line in enumerate(lines))
    return (
        f'<svg role="img" aria-label="{escape(title)}" width="100%" '
        f'height="{len(lines) * ROW_HEIGHT}">{bars}</svg>'
    )


def bar(line: Ranked, row: int, greatest: int) -> str:
    """Return one bar of a chart: name and count above it, the place of the name as a tooltip."""
    name, where, count = escape(line["name"]), escape(line["where"]), f"{line['count']:,}"
    share = 100 * line["count"] / greatest
    top = row * ROW_HEIGHT
    place = f'<tspan class="where" dx="8">{where}</tspan>' if where else ""
    return (
        f"<g><title>{name} {where} {count}</title>"
        f'<text x="0" y="{top + 15}">{name}{place}</text>'
        f'<text class="count" x="100%" y="{top + 15}">{count}</text>'
        f'<rect class="track" x="0" y="{top + 22}" width="100%" height="8" rx="4"/>'
        f'<rect class="bar" x="0" y="{top + 22}" width="{share:.2f}%" height="8" rx="4"/></g>'
    )


def table(heads: tuple[str, str], lines: Sequence[Ranked]) -> str:
    """Return a ranking as a table of names and counts."""
    if not lines:
        return '<p class="none">Nothing to show.</p>'
    name, count = (escape(head) for head in heads)
    rows = "".join(
        f"<tr><td>{breakable(line['name'])}</td><td>{line['count']:,}</td></tr>" for line in lines
    )
    return f'<table class="ranking"><tr><th>{name}</th><th>{count}</th></tr>{rows}</table>'


def unreadable_section(items: Sequence[Unreadable]) -> str:
    """Return the files that were not counted with their reasons, at most `SHOWN_UNREADABLE`."""
    if not items:
        return '<p class="none">Every file was counted.</p>'
    rows = "".join(
        f"<tr><td>{breakable(item['path'])}</td><td>{escape(item['reason'])}</td></tr>"
        for item in items[:SHOWN_UNREADABLE]
    )
    hidden = len(items) - SHOWN_UNREADABLE
    more = f'<p class="none">And {hidden:,} more, in report.json.</p>' if hidden > 0 else ""
    return f"<table><tr><th>File</th><th>Reason</th></tr>{rows}</table>{more}"


def breakable(path: str) -> str:
    """Escape a path and let the browser break it after its slashes."""
    return escape(path).replace("/", "/<wbr>")
