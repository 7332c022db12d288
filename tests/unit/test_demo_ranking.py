"""How the counts of many files become totals and rankings."""

from __future__ import annotations

import random

from workers.demo.parse import LongestFunction, Parsed
from workers.demo.ranking import TOP, TOP_LEVEL, Ranked, package_of, summarise


def counted(path: str, lines: int = 1, *, imports: tuple[str, ...] = ()) -> Parsed:
    return Parsed(
        path=path,
        lines=lines,
        code=lines,
        functions=2,
        async_functions=1,
        classes=3,
        undocumented=lines,
        generated=path.startswith("gen"),
        longest=LongestFunction(name="f", line=7, length=lines),
        imports=list(imports),
    )


def line(name: str, count: int, where: str = "") -> Ranked:
    return Ranked(name=name, count=count, where=where)


def test_totals_are_the_sums_over_all_files() -> None:
    totals = summarise([counted("a.py", 5), counted("gen.py", 7)], unreadable=3)["totals"]
    assert totals == {
        "files": 5,
        "parsed": 2,
        "unreadable": 3,
        "generated": 1,
        "lines": 12,
        "code": 12,
        "functions": 4,
        "async_functions": 2,
        "classes": 6,
        "undocumented": 12,
    }


def test_nothing_to_count_gives_zeros_and_empty_rankings() -> None:
    summary = summarise([], unreadable=0)
    assert summary["totals"]["files"] == 0
    assert summary["rankings"]["packages"] == []


def test_the_greatest_come_first_and_equals_by_name() -> None:
    files = [counted("b.py", 5), counted("c.py", 9), counted("a.py", 5)]
    assert summarise(files, 0)["rankings"]["largest_files"] == [
        line("c.py", 9),
        line("a.py", 5),
        line("b.py", 5),
    ]


def test_a_ranking_holds_no_more_than_its_top() -> None:
    files = [counted(f"{number}.py", number) for number in range(1, 30)]
    assert len(summarise(files, 0)["rankings"]["most_undocumented"]) == TOP


def test_lines_add_up_by_package_and_loose_files_share_one() -> None:
    files = [counted("p/a.py", 2), counted("p/q/b.py", 3), counted("c.py", 4), counted("d.py", 4)]
    packages = summarise(files, 0)["rankings"]["packages"]
    assert packages == [line(TOP_LEVEL, 8), line("p", 5)]
    assert package_of("p/q/b.py") == "p"


def test_modules_rank_by_the_files_that_import_them() -> None:
    files = [counted("a.py", imports=("os", "re")), counted("b.py", imports=("os",))]
    assert summarise(files, 0)["rankings"]["most_imported"] == [line("os", 2), line("re", 1)]


def test_long_functions_say_where_they_are() -> None:
    assert summarise([counted("p/a.py", 30)], 0)["rankings"]["longest_functions"] == [
        line("f", 30, "p/a.py:7")
    ]


def test_what_counts_nothing_is_not_ranked() -> None:
    assert summarise([counted("a.py", 0)], 0)["rankings"]["largest_files"] == []


def test_the_order_of_the_files_does_not_matter() -> None:
    files = [counted(f"p{n % 7}/{n}.py", n % 5, imports=(f"m{n % 3}",)) for n in range(100)]
    shuffled = random.Random(1).sample(files, len(files))
    assert summarise(files, 2) == summarise(shuffled, 2)
