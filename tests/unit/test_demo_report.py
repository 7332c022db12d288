"""What the census publishes, and how."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from workers.demo.parse import parse_source
from workers.demo.ranking import summarise
from workers.demo.report import SHOWN_UNREADABLE, Report, Unreadable, as_html, write_report

VOID = {"meta", "wbr", "rect"}


def report_of(sources: dict[str, bytes], *unreadable: Unreadable) -> Report:
    files = [parse_source(path, source) for path, source in sources.items()]
    return Report(
        root="/src",
        python="3.11.0",
        unreadable=list(unreadable),
        **summarise(files, len(unreadable)),
    )


class Balance(HTMLParser):
    """Checks that every element that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag or tag in VOID


def assert_balanced(page: str) -> None:
    balance = Balance()
    # Empty elements of the chart close themselves, which this parser takes for both tags.
    balance.feed(re.sub(r"<rect[^>]*/>", "", page))
    assert balance.open == []


def test_the_json_file_holds_the_report_itself(tmp_path: Path) -> None:
    report = report_of({"a.py": b"def f(): pass\n"}, Unreadable(path="b.py", reason="bad"))
    write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report


def test_publishing_twice_gives_the_same_two_files_and_no_others(tmp_path: Path) -> None:
    report = report_of({"a.py": b"def f(): pass\n"})
    first = write_report(tmp_path, report)
    contents = {path: Path(path).read_bytes() for path in first}
    assert write_report(tmp_path, report) == first
    assert {str(path): path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_the_folder_is_made_if_need_be(tmp_path: Path) -> None:
    paths = write_report(tmp_path / "a" / "b", report_of({}))
    assert paths == [str(tmp_path / "a/b" / name) for name in ("report.json", "report.html")]


def test_a_write_that_fails_leaves_the_old_report_and_no_part_of_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(tmp_path, report_of({}))
    old = (tmp_path / "report.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(tmp_path, report_of({"a.py": b"x = 1\n"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert (tmp_path / "report.json").read_bytes() == old


def test_names_are_escaped_wherever_the_page_shows_them() -> None:
    odd = "p<i>/<b>.py"
    page = as_html(
        report_of(
            {odd: b"def f(): pass\n"},
            Unreadable(path="<u>&.py", reason='<script>alert("x")</script>'),
        )
    )
    assert "&lt;b&gt;.py" in page
    assert "&lt;u&gt;&amp;.py" in page
    for raw in ("<b>", "<i>", "<u>", "<script>"):
        assert raw not in page
    assert_balanced(page)


def test_a_dollar_sign_in_a_name_is_only_a_name() -> None:
    assert "$root.py" in as_html(report_of({"$root.py": b"x = 1\n"}))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = as_html(report_of({"a.py": b"def f(): pass\n"}))
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)


def test_the_page_shows_a_bar_for_each_line_of_a_chart_as_its_share_of_the_greatest() -> None:
    page = as_html(report_of({"p/a.py": b"x = 1\n" * 4, "q/b.py": b"x = 1\n"}))
    assert re.findall(r'class="bar"[^>]*width="([^"]*)"', page) == ["100.00%", "25.00%"]


def test_the_page_serves_dark_screens_and_small_ones() -> None:
    page = as_html(report_of({}))
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_a_page_without_any_file_says_so_and_is_whole() -> None:
    page = as_html(report_of({}))
    assert "Nothing to show." in page
    assert "Every file was counted." in page
    assert_balanced(page)


def test_a_long_list_of_uncounted_files_is_cut_and_says_by_how_many() -> None:
    broken = [Unreadable(path=f"{n}.py", reason="bad") for n in range(SHOWN_UNREADABLE + 5)]
    page = as_html(report_of({}, *broken))
    assert "And 5 more, in report.json." in page
    assert f"{SHOWN_UNREADABLE}.py" not in page
