"""``distgraph draw`` prints a picture, and asks neither Redis nor a broker."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.apps import errands
from workers.cli.program import program

NESTED = """
from distgraph.graph import START, StateGraph
inner = StateGraph(dict).add_node("prüfen", lambda s: s).add_edge(START, "prüfen").compile()
graph = StateGraph(dict).add_node("in", inner).add_edge(START, "in").compile()
"""


@pytest.fixture(autouse=True)
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTGRAPH_REDIS", "redis://localhost:1/0")


def draw(*words: str) -> Result:
    return CliRunner().invoke(program(), ["draw", *words])


@pytest.mark.parametrize("words", [(), ("--mermaid",)])
def test_mermaid_is_printed(words: tuple[str, ...]) -> None:
    ended = draw("tests.support.apps.errands:graph", *words)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout == errands.graph.get_graph().draw_mermaid()
    assert "begin -.-> errand" in ended.stdout


def test_svg_is_printed() -> None:
    ended = draw("tests.support.apps.errands:local", "--svg")
    assert ended.exit_code == 0
    assert ended.stdout == errands.local.get_graph().draw_svg()


@pytest.mark.parametrize("words", [(), ("--svg",)])
def test_graphs_inside_nodes_are_drawn_in_utf8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "nested_drawn.py").write_text(NESTED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert "prüfen" in draw("nested_drawn:graph", *words).stdout_bytes.decode()


def test_without_graphviz_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = draw("tests.support.apps.errands:graph", "--svg")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "pip install 'distgraph[drawing]'" in ended.stderr
    assert ended.stderr.count("\n") == 1
