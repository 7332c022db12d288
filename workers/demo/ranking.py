"""The counts of many files reduced to totals and rankings; pure, and in one pass over the files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .parse import Parsed

TOP = 10
TOP_LEVEL = "(top level)"


class Totals(TypedDict):
    """Sums over all files; `files` = `parsed` + `unreadable`, `functions` are the plain ones."""

    files: int
    parsed: int
    unreadable: int
    generated: int
    lines: int
    code: int
    functions: int
    async_functions: int
    classes: int
    undocumented: int


class Ranked(TypedDict):
    """One line of a ranking: a name, its count, and where it is (empty if the name says it)."""

    name: str
    count: int
    where: str


class Rankings(TypedDict):
    """At most `TOP` lines each, the greatest first, equals by name."""

    packages: list[Ranked]
    largest_files: list[Ranked]
    longest_functions: list[Ranked]
    most_undocumented: list[Ranked]
    most_imported: list[Ranked]


class Summary(TypedDict):
    """Everything that the census found, but for the names of unreadable files."""

    totals: Totals
    rankings: Rankings


def summarise(files: list[Parsed], unreadable: int) -> Summary:
    """Reduce the counts of `files`, in any order, beside which `unreadable` were not counted."""
    return Summary(totals=total(files, unreadable), rankings=rank(files))


def total(files: list[Parsed], unreadable: int) -> Totals:
    """Add up the counts of all files."""
    return Totals(
        files=len(files) + unreadable,
        parsed=len(files),
        unreadable=unreadable,
        generated=sum(file["generated"] for file in files),
        lines=sum(file["lines"] for file in files),
        code=sum(file["code"] for file in files),
        functions=sum(file["functions"] for file in files),
        async_functions=sum(file["async_functions"] for file in files),
        classes=sum(file["classes"] for file in files),
        undocumented=sum(file["undocumented"] for file in files),
    )


def rank(files: list[Parsed]) -> Rankings:
    """Rank packages and files by lines, functions by length, modules by the files importing them.

    Of each file only its longest function takes part.
    """
    return Rankings(
        packages=top(ranked(name, count) for name, count in lines_by_package(files).items()),
        largest_files=top(ranked(file["path"], file["lines"]) for file in files),
        longest_functions=top(
            ranked(longest["name"], longest["length"], f"{file['path']}:{longest['line']}")
            for file in files
            if (longest := file["longest"]) is not None
        ),
        most_undocumented=top(ranked(file["path"], file["undocumented"]) for file in files),
        most_imported=top(ranked(name, count) for name, count in importers(files).items()),
    )


def top(lines: Iterable[Ranked]) -> list[Ranked]:
    """Return the first `TOP` lines of the ranking, without those that count nothing."""
    counted = (line for line in lines if line["count"])
    return sorted(counted, key=lambda line: (-line["count"], line["name"], line["where"]))[:TOP]


def ranked(name: str, count: int, where: str = "") -> Ranked:
    """Return one line of a ranking."""
    return Ranked(name=name, count=count, where=where)


def package_of(path: str) -> str:
    """Return the first folder of a path; files beside the packages share one name."""
    folder, slash, _ = path.partition("/")
    return folder if slash else TOP_LEVEL


def lines_by_package(files: list[Parsed]) -> Counter[str]:
    """Add up the lines of each package."""
    counts: Counter[str] = Counter()
    for file in files:
        counts[package_of(file["path"])] += file["lines"]
    return counts


def importers(files: list[Parsed]) -> Counter[str]:
    """Count for each module the files that import it."""
    return Counter(name for file in files for name in file["imports"])
