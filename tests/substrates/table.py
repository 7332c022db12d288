"""The table of all rows, as it is printed and as it stands in the documents."""

from __future__ import annotations

from collections.abc import Sequence

from tests.substrates.row import Outcome

HEAD = ("substrate", "servers", "pool", "Python", "Celery", "redis-py", "result")


def cells(outcome: Outcome) -> tuple[str, ...]:
    known = outcome.versions
    versions = (known.get("Python", ""), known.get("celery", ""), known.get("redis", ""))
    return (outcome.row.name, outcome.server, outcome.row.pool, *versions, outcome.result)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return it in Markdown, its columns of one width."""
    rows = [HEAD, *map(cells, outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = _line(tuple("-" * width for width in widths), widths)
    return "\n".join([lines[0], rule, *lines[1:], ""])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.replace("|", "\\|").ljust(width) for cell, width in zip(row, widths, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
