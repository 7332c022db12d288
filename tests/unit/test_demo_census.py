"""The census as a graph: from a folder to a question, and from the answer to a report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import END
from distgraph.types import Command, Send
from workers.demo.census import (
    Census,
    OneFile,
    build,
    parse,
    plan,
    publish_or_end,
    read_answer,
    request,
    send_each_file,
)
from workers.demo.sources import standard_library

THREAD = {"configurable": {"thread_id": "census"}}
ODD_FILES = {
    "good.py": b"import os\n\n\ndef f():\n    return os\n",
    "latin.py": "# coding: latin-1\nname = 'grüße'\n".encode("latin-1"),
    "bom.py": b"\xef\xbb\xbfimport os\n",
    "empty.py": b"",
    "bad_syntax.py": b"def (\n",
    "bad_coding.py": b"# coding: uft-8\n",
    "null.py": b"x = 1\0\n",
    "pkg/<b>.py": b"class A:\n    pass\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, data in ODD_FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "folder.py").mkdir()
    (folder / "loop.py").symlink_to("loop.py")
    os.mkfifo(folder / "pipe.py")
    return folder


def start(root: Path, out: Path) -> tuple[Any, dict[str, Any]]:
    graph = build().compile(name="census", checkpointer=InMemorySaver())
    question = graph.invoke(request(out, root), THREAD)["__interrupt__"][0].value
    return graph, question


def reason(root: Path, path: str) -> str:
    return parse(OneFile(root=str(root), path=path))["unreadable"][0]["reason"]


def test_the_published_numbers_are_those_counted_by_hand(root: Path, tmp_path: Path) -> None:
    graph, _ = start(root, tmp_path / "out")
    final = graph.invoke(Command(resume=True), THREAD)
    report = json.loads(Path(final["published"][0]).read_text("utf-8"))
    assert report["root"] == str(root)
    assert report["totals"] == {
        "files": 10,
        "parsed": 5,
        "unreadable": 5,
        "generated": 0,
        "lines": 10,
        "code": 7,
        "functions": 1,
        "async_functions": 0,
        "classes": 1,
        "undocumented": 2,
    }
    assert report["rankings"]["packages"] == [
        {"name": "(top level)", "count": 8, "where": ""},
        {"name": "pkg", "count": 2, "where": ""},
    ]
    assert [item["path"] for item in report["unreadable"]] == [
        "bad_coding.py",
        "bad_syntax.py",
        "loop.py",
        "null.py",
        "pipe.py",
    ]


def test_the_question_shows_the_summary_and_nothing_is_published_before_the_answer(
    root: Path, tmp_path: Path
) -> None:
    _, question = start(root, tmp_path / "out")
    assert question["question"] == f"Publish this census into {tmp_path / 'out'}?"
    assert question["totals"]["files"] == 10
    assert question["rankings"]["most_imported"][0] == {"name": "os", "count": 2, "where": ""}
    assert not (tmp_path / "out").exists()


def test_a_refused_census_ends_without_a_report(root: Path, tmp_path: Path) -> None:
    graph, _ = start(root, tmp_path / "out")
    final = graph.invoke(Command(resume="no"), THREAD)
    assert final["approved"] is False
    assert "published" not in final
    assert not (tmp_path / "out").exists()


def test_a_report_that_cannot_be_written_names_the_folder(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    graph, _ = start(root, out)
    out.write_text("a file where the folder should be")
    with pytest.raises(OSError, match=f"cannot be written into {out}"):
        graph.invoke(Command(resume="yes"), THREAD)


def test_an_answer_that_is_neither_yes_nor_no_is_asked_again(root: Path, tmp_path: Path) -> None:
    graph, _ = start(root, tmp_path / "out")
    again = graph.invoke(Command(resume="perhaps"), THREAD)["__interrupt__"][0].value
    assert again["problem"] == "'perhaps' is neither yes nor no"
    assert graph.invoke(Command(resume="yes"), THREAD)["approved"] is True


def test_a_folder_without_python_is_a_census_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _, question = start(tmp_path / "empty", tmp_path / "out")
    assert question["totals"]["files"] == 0


def test_every_listed_file_is_sent_to_a_parser_of_its_own(root: Path) -> None:
    planned: Census = {"root": str(root), **plan(Census(root=str(root)))}
    sends = send_each_file(planned)
    assert len(sends) == 10
    assert sends[0] == Send("parse", OneFile(root=str(root), path="bad_coding.py"))


def test_the_reason_of_a_syntax_error_names_the_line(root: Path) -> None:
    assert reason(root, "bad_syntax.py") == "invalid syntax (line 1)"


def test_the_reason_of_an_unknown_encoding_is_the_bare_message(root: Path) -> None:
    assert reason(root, "bad_coding.py") == "unknown encoding: uft-8"


def test_a_file_that_went_away_after_the_listing_is_named(root: Path) -> None:
    assert reason(root, "gone.py") == "No such file or directory"


def test_a_request_makes_both_folders_absolute(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = request(Path("out"), Path("source"))
    assert asked == {"root": str(root), "out": str(tmp_path / "out")}


def test_a_request_is_for_the_standard_library_unless_told(tmp_path: Path) -> None:
    assert request(tmp_path)["root"] == str(standard_library().resolve())


def test_a_request_for_no_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere is not a folder"):
        request(tmp_path, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [(True, True), (" Yes ", True), ("y", True), (False, False), ("No", False), ("n", False)]
    + [(unclear, None) for unclear in ("", "perhaps", 1, None, {"approved": True})],
)
def test_answers_are_read_as_people_give_them(answer: object, meaning: bool | None) -> None:
    assert read_answer(answer) is meaning


def test_only_an_approved_census_is_published() -> None:
    assert publish_or_end(Census(approved=True)) == "publish"
    assert publish_or_end(Census(approved=False)) == END
