from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pytest
from rich.console import Console

from bench.harness import Measured, WrongResultError, measure
from bench.report import save, slower, table
from bench.rows import ROWS, Row, itself

ROW = Row("a thing", "mine", "theirs", "step", size=10, expected=itself, warm=1)


class Scripted:
    """A side whose times, in seconds, are given; the first one is the warm-up's."""

    def __init__(self, name: str, times: list[float], calls: list[str], *, lost: int = 0) -> None:
        self.name, self.times, self.calls, self.lost = name, iter(times), calls, lost

    def measure(self, workload: str, size: int) -> tuple[float, Any]:
        self.calls.append(f"{self.name}:{workload}:{size}")
        return next(self.times), size - self.lost


@dataclass
class Stages:
    """Gives out the same two sides for each pair, and notes it."""

    ours: Scripted
    peer: Scripted

    def __call__(self) -> AbstractContextManager[Self]:
        self.ours.calls.append("stage")
        return nullcontext(self)


def measured_in(pairs: int, row: Row, ours: Scripted, peer: Scripted) -> Measured:
    [found] = measure([row], Stages(ours, peer), pairs, say=str)
    return found


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    ours = Scripted("o", [9.0, 1.0, 9.0, 3.0, 9.0, 2.0], [])
    peer = Scripted("p", [9.0, 2.0, 9.0, 3.0, 9.0, 8.0], [])

    measured = measured_in(3, ROW, ours, peer)

    assert measured.ratios == (0.5, 1.0, 0.25)
    assert measured.ratio == 0.5


def test_times_are_microseconds_per_unit() -> None:
    measured = measured_in(1, ROW, Scripted("o", [9.0, 1.0], []), Scripted("p", [9.0, 2.0], []))

    assert (measured.ours, measured.peer) == ((100_000.0,), (200_000.0,))


def test_each_pair_has_a_stage_and_a_small_go_and_the_sides_take_turns_at_coming_first() -> None:
    calls: list[str] = []

    measured_in(2, ROW, Scripted("o", [1.0] * 4, calls), Scripted("p", [1.0] * 4, calls))

    start, ours, theirs = ["stage", "o:mine:1", "p:theirs:1"], "o:mine:10", "p:theirs:10"
    assert calls == [*start, ours, theirs, *start, theirs, ours]


def test_the_sides_take_turns_until_each_has_worked_for_a_second() -> None:
    calls: list[str] = []
    ours = Scripted("o", [9.0, 0.25, 0.25, 0.75], calls)
    peer = Scripted("p", [9.0, 0.5, 1.0, 1.0], calls)

    measured = measured_in(1, ROW, ours, peer)

    mine, theirs = "o:mine:10", "p:theirs:10"
    assert calls[3:] == [mine, theirs, theirs, mine, mine, theirs]
    assert (measured.ours, measured.peer) == ((1.25 / 30 * 1e6,), (2.5 / 30 * 1e6,))


def test_a_stage_serves_all_the_rows() -> None:
    calls: list[str] = []
    stages = Stages(Scripted("o", [1.0, 2.0, 1.0, 3.0], calls), Scripted("p", [1.0] * 4, calls))
    said: list[str] = []

    found = measure([ROW, replace(ROW, name="another")], stages, 1, said.append)

    assert calls.count("stage") == 1
    assert [measured.ratio for measured in found] == [2.0, 3.0]
    assert said == ["1/1 a thing / LangGraph ...", "1/1 another / LangGraph ..."]


def test_a_row_without_a_peer_measures_our_side_alone() -> None:
    calls: list[str] = []
    row = Row("alone", "mine", "", "step", size=10, expected=itself)

    measured = measured_in(2, row, Scripted("o", [1.0] * 4, calls), Scripted("p", [], calls))

    assert (len(measured.ours), measured.ratio, measured.ratios) == (2, None, ())


@pytest.mark.parametrize("wrong", ["ours", "peer"])
def test_a_wrong_result_of_either_side_is_refused(wrong: str) -> None:
    ours = Scripted("o", [1.0] * 2, [], lost=int(wrong == "ours"))
    peer = Scripted("p", [1.0] * 2, [], lost=int(wrong == "peer"))

    with pytest.raises(WrongResultError, match=r"of size 1 gave 0, not 1"):
        measured_in(1, ROW, ours, peer)


def test_the_report_names_the_rows_in_which_the_peer_is_faster() -> None:
    rows = [Measured(ROW, (3.0,), (2.0,)), Measured(ROW, (1.0,), (2.0,)), Measured(ROW, (1.0,), ())]

    assert slower(rows) == [ROW.title]


def test_a_row_beside_another_of_ours_measures_our_side_for_both() -> None:
    calls: list[str] = []
    row = replace(ROW, beside=True, most=1.3)
    ours = Scripted("o", [1.0, 1.0, 1.2, 1.0], calls)

    measured = measured_in(1, row, ours, Scripted("p", [], []))

    assert calls == ["stage", "o:mine:1", "o:theirs:1", "o:mine:10", "o:theirs:10"]
    assert (slower([measured]), row.against("before", 1.05)) == ([], row)
    assert slower([replace(measured, ours=(130_000.0,))]) == [row.title]


def test_an_earlier_checkout_may_be_a_little_faster() -> None:
    row = ROW.against("before", 1.05)

    assert (row.peer, row.title) == ("mine", "a thing / before")
    assert slower([Measured(row, (1.04,), (1.0,)), Measured(row, (1.06,), (1.0,))]) == [row.title]


def test_the_table_shows_both_figures_the_ratio_and_its_spread() -> None:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table([Measured(ROW, (1.0, 2.0, 3.0), (4.0, 4.0, 4.0))]))

    shown = captured.get()

    assert all(figure in shown for figure in ("a thing", " 2 ", " 4 ", "0.50", "0.25 - 0.75"))


def test_the_file_keeps_every_time(tmp_path: Path) -> None:
    save([Measured(ROW, (1.0,), (2.0,))], tmp_path / "bench.json")

    [kept] = json.loads((tmp_path / "bench.json").read_text())

    assert (kept["ours_us"], kept["peer_us"], kept["ratio"]) == ([1.0], [2.0], 0.5)


def test_titles_are_unique() -> None:
    titles = [(row.title, row.ours) for row in ROWS]

    assert len(set(titles)) == len(titles)
