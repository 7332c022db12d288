"""Pictures of graphs: well-formed whatever names and labels hold, and nothing runs for them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from enum import Enum
from html import unescape
from pathlib import Path
from typing import Any, Literal, TypedDict
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgraph.drawing.dot import dot_of
from distgraph.drawing.graphviz import laid_out
from distgraph.drawing.mermaid import mermaid_of, written_id
from distgraph.drawing.naming import LONGEST, id_of, shown
from distgraph.drawing.parts import DrawnEdge, DrawnNode
from distgraph.drawing.picture import MOST_EDGES, Drawing
from distgraph.errors import CannotDraw
from distgraph.graph import END, START, CompiledStateGraph, StateGraph
from distgraph.types import Command

SVG = "{http://www.w3.org/2000/svg}"


class State(TypedDict, total=False):
    n: int


def node(state: State) -> Any:
    raise AssertionError("nothing runs for a picture")


def built(*names: str) -> StateGraph[State]:
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, node)
    return builder.add_edge(START, names[0])


def edges(graph: CompiledStateGraph, *, xray: Any = False) -> list[tuple[Any, ...]]:
    return [tuple(edge) for edge in graph.get_graph(xray=xray).edges]


# --- what is told ----------------------------------------------------------------------------


def test_a_path_of_which_nothing_is_known_may_lead_anywhere() -> None:
    graph = built("a", "b", "c").add_conditional_edges("a", lambda _: "b").compile()
    found = [edge for edge in edges(graph) if edge[0] == "a"]
    assert found == [("a", name, None, True) for name in (END, "b", "c")]


def test_labels_of_one_end_are_edges_of_their_own_and_a_fixed_edge_stays() -> None:
    builder = built("a", "b").add_edge("a", "b")
    graph = builder.add_conditional_edges("a", node, {"x": "b", "b": "b", 1: "b"}).compile()
    assert [edge[2:] for edge in edges(graph) if edge[0] == "a"] == [
        (None, False),
        ("x", True),
        (None, True),
        ("1", True),
    ]


def test_a_node_that_nothing_leads_to_is_drawn() -> None:
    assert edges(built("a", "b").compile()) == [
        (START, "a", None, False),
        ("a", END, None, False),
        ("b", END, None, False),
    ]


@pytest.mark.parametrize(
    "hint",
    [
        Command[Literal["b"]],
        Command[Literal["b"]] | dict,
        list[Command[Literal["b"]]] | None,
        Command[Literal["b", "in the graph around"]],
        Command[Literal["b"], State],
    ],
)
def test_commands_lead_where_their_annotation_says(hint: Any) -> None:
    def hop(state: State) -> Any:
        return node(state)

    hop.__annotations__["return"] = hint
    graph = built("b").add_node("hop", hop).compile()
    assert [edge for edge in edges(graph) if edge[0] == "hop"] == [("hop", "b", None, True)]


def test_destinations_go_before_an_annotation() -> None:
    def hop(state: State) -> Command[Literal["a", "b"]]:
        return Command(goto="a")

    graph = built("a", "b").add_node("hop", hop, destinations={"b": "large"}).compile()
    assert [edge for edge in edges(graph) if edge[0] == "hop"] == [("hop", "b", "large", True)]


def test_an_unknown_destination_is_named() -> None:
    builder = built("a").add_node("hop", node, destinations=["nowhere"])
    with pytest.raises(ValueError, match="unknown node `nowhere`: a destination of node 'hop'"):
        builder.compile()


def test_destinations_change_neither_a_run_nor_the_fingerprint() -> None:
    plain = StateGraph(State).add_node("a", lambda _: {"n": 1}).add_edge(START, "a").compile()
    told = StateGraph(State).add_node("a", lambda _: {"n": 1}, destinations=["a"])
    graph = told.add_edge(START, "a").compile()
    assert graph.graph.fingerprint == plain.graph.fingerprint
    assert graph.invoke({"n": 0}) == {"n": 1}


def test_a_name_of_an_enum_is_its_value() -> None:
    class Names(str, Enum):  # noqa: UP042 of which str() is not the value
        first = "one"

    drawn = built(Names.first).compile().get_graph()
    assert list(drawn.nodes) == [START, "one", END]
    assert all(type(text) is str for edge in drawn.edges for text in edge[:2])


def test_a_graph_that_calls_itself_is_drawn_once() -> None:
    def again(state: State) -> Any:
        return recursive.invoke(state)

    recursive = StateGraph(State).add_node("again", again).add_edge(START, "again").compile()
    outer = StateGraph(State).add_node("in", recursive).add_edge(START, "in").compile()
    assert list(recursive.get_graph(xray=True).nodes) == [START, "again", END]
    assert list(outer.get_graph(xray=True).nodes) == [START, END, "in:again"]


def test_two_graphs_of_one_shape_inside_each_other_are_both_drawn() -> None:
    inner = built("a").compile()
    outer = StateGraph(State).add_node("a", inner).add_edge(START, "a").compile()
    third = StateGraph(State).add_node("a", outer).add_edge(START, "a").compile()
    assert list(third.get_graph(xray=True).nodes) == [START, END, "a:a:a"]
    assert list(third.get_graph(xray=1).nodes) == [START, END, "a:a"]


def test_a_graph_that_never_ends_stays_one_node() -> None:
    inner = built("a").add_edge("a", "a").compile()
    outer = StateGraph(State).add_node("in", inner).add_edge(START, "in").compile()
    assert list(outer.get_graph(xray=True).nodes) == [START, "in", END]


@pytest.mark.parametrize(("xray", "error"), [(-1, ValueError), ("all", TypeError)])
def test_a_wrong_depth_is_refused(xray: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="xray must be"):
        built("a").compile().get_graph(xray=xray)


# --- how it is written -----------------------------------------------------------------------


def nested(name: str = "in ner") -> Drawing:
    inner = built("x", "y").add_edge("x", "y").compile()
    builder = StateGraph(State).add_node("a", node, defer=True).add_node(name, inner)
    builder.add_edge(START, "a").add_conditional_edges("a", node, {'so "be" it': name, "no": END})
    return builder.compile().get_graph(xray=True)


def test_mermaid_has_a_box_for_a_graph_in_a_node_and_dotted_labelled_edges() -> None:
    assert nested().draw_mermaid().splitlines() == [
        *("---", "config:", "  flowchart:", "    curve: linear", "---"),
        "graph TD;",
        "\t__start__([<p>__start__</p>]):::first",
        "\ta(a<hr/><small><em>defer = True</em></small>)",
        "\t__end__([<p>__end__</p>]):::last",
        "\t__start__ --> a;",
        "\ta -. &nbsp;no&nbsp; .-> __end__;",
        '\ta -. "so #34;be#34; it" .-> in\\20ner\\3ax;',
        "\tin\\20ner\\3ay --> __end__;",
        "\tsubgraph in ner",
        "\tin\\20ner\\3ax(x)",
        "\tin\\20ner\\3ay(y)",
        "\tin\\20ner\\3ax --> in\\20ner\\3ay;",
        "\tend",
        "\tclassDef default fill:#f2f0ff,line-height:1.2",
        "\tclassDef first fill-opacity:0",
        "\tclassDef last fill:#bfb6fc",
    ]


def test_mermaid_of_the_edges_alone() -> None:
    assert nested().draw_mermaid(with_styles=False, wrap_label_n_words=1).splitlines() == [
        "graph TD;",
        "\t__start__ --> a;",
        "\ta -. &nbsp;no&nbsp; .-> __end__;",
        '\ta -. "so #34;be#34; it" .-> in\\20ner\\3ax;',
        "\tin\\20ner\\3ay --> __end__;",
        "\tsubgraph in ner",
        "\tin\\20ner\\3ax --> in\\20ner\\3ay;",
        "\tend",
    ]


def test_nodes_and_edges_as_plain_dicts() -> None:
    graph = built("a", "b").add_node("sub", built("x").compile(), metadata={"k": 1})
    told = graph.add_conditional_edges("a", node, {"go": "b"}).compile().get_graph().to_json()
    assert [entry["id"] for entry in told["nodes"]] == [START, "a", "b", "sub", END]
    kind = ["distgraph", "graph", "state", "CompiledStateGraph"]
    assert told["nodes"][3:] == [
        {
            "id": "sub",
            "type": "runnable",
            "data": {"id": kind, "name": "sub"},
            "metadata": {"k": 1},
        },
        {"id": END},
    ]
    assert told["edges"][:2] == [
        {"source": START, "target": "a"},
        {"source": "a", "target": "b", "data": "go", "conditional": True},
    ]


NASTY = [
    *("end", "graph", "v", "o", "a b", "a-b", "end-1", "12", "-->", '"', '"]', "`x`", "#quot;"),
    *("&amp;", "<script>", "{", "[[", "%%", "%%{init: {}}%%", ";", "\n", "\t", "\x00", "\\", "a\\"),
    *("\\N", "é", "日本", "😀", "_", "*", "1. x", "- x", "~~~", "$$x$$", "style a:#fff;", "", " "),
    *("id_x", "id_5f_", "\u202e", "\ud800", "===", "<br/>", "x" * 3_000),
]
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=8))
LABEL = re.compile(r'"((?:[^\W_]|[ ]|#\d+;|<br/>|(?<=[^\W_])[_.-](?=[^\W_]))+)"')
WORDS = r"(?:[^\W_]|(?<=[^\W_])[_.-](?=[^\W_])|(?<=\S) (?=\S))+"
PLAIN = re.compile(
    rf"(?<=[(\[])(?P<node><p>__\w+__</p>|{WORDS})(?P<told><hr/><small><em>[^<>]+</em></small>)?(?=[)\]])"
    rf"|(?<=subgraph )(?P<box>{WORDS})$"
    rf"|(?<=-\. )&nbsp;(?P<edge>{WORDS}(?:&nbsp<br>&nbsp{WORDS})*)&nbsp;(?= \.->)"
)
ID = r"[\w\\-]+"
LINE = re.compile(
    r"\tend"
    r"|\tsubgraph (\w+\[)?LABEL\]?"
    rf"|\t(?P<node>{ID})(\(|\(\[)LABEL(\)|\]\)|\]\):::first|\]\):::last)"
    rf"|\t(?P<source>{ID}) (-->|-\.->|-\. LABEL \.->) (?P<target>{ID});",
    re.ASCII,
)


def parts(texts: Iterable[str]) -> tuple[list[DrawnNode], list[DrawnEdge]]:
    """Return nodes of these names, some in boxes, and edges with these labels."""
    bare = [text.replace(":", "") or "a" for text in texts]
    nodes = [DrawnNode(name, name, node, {name: name}) for name in dict.fromkeys(bare)]
    boxed = [DrawnNode(f"box {name}:{name}", name, node, {}) for name in dict.fromkeys(bare)]
    labelled = [DrawnEdge(nodes[0].id, boxed[-1].id, text, conditional=True) for text in texts]
    return [*nodes, *boxed], labelled


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_whatever_names_and_labels_hold_mermaid_is_well_formed_and_tells_them(
    texts: list[str],
) -> None:
    nodes, drawn = parts(texts)
    written = mermaid_of(nodes, drawn)
    top, _, body = written.partition("graph TD;\n")
    assert top == "---\nconfig:\n  flowchart:\n    curve: linear\n---\n"
    for line in re.split(r"\n(?=\t)", body.rstrip("\n")):
        if not line.startswith("\tclassDef"):
            assert LINE.fullmatch(PLAIN.sub("LABEL", LABEL.sub("LABEL", line))), line
    told = {unescape(re.sub(r"#(\d+);", r"&#\1;", label)) for label in LABEL.findall(written)}
    told |= {text for found in PLAIN.finditer(written) for text in found.groups() if text}
    told = {text.replace("&nbsp<br>&nbsp", " ") for text in told}
    assert {shown(text) for text in texts} <= told


@given(st.lists(TEXTS, min_size=2, unique=True))
def test_different_names_have_different_ids_in_mermaid(names: list[str]) -> None:
    ids = [written_id(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_\\-]+", each) for each in ids)
    assert not {each.lower() for each in ids} & {"end", "graph", "subgraph", "class", "v"}


@given(st.lists(TEXTS, min_size=2, unique=True))
def test_different_names_have_different_ids_that_are_no_keywords(names: list[str]) -> None:
    ids = [id_of(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", each) for each in ids)
    assert not {each.lower() for each in ids} & {"end", "graph", "subgraph", "class", "v"}


def test_labels_are_cut_and_printable() -> None:
    assert shown("x" * 1_000) == "x" * LONGEST + "…"
    assert shown("a\n\x1b[2J") == "a\\n\\x1b[2J"
    assert shown("") == "''"


def test_svg_shows_every_name_and_label() -> None:
    nodes, drawn = parts([text for text in NASTY if text.strip()])
    root = ET.fromstring(laid_out(dot_of(nodes, drawn), "svg"))
    told = [text.text for text in root.iter(f"{SVG}text")]
    assert {shown(one.name) for one in nodes} <= {*told}
    assert {shown(edge.data or "") for edge in drawn} <= {*told}
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert {id_of(one.id) for one in nodes} <= titles


# --- where it is made ------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH, empty, on a machine without pygraphviz."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, source: str) -> None:
    dot = folder / "dot"
    dot.write_text(f"#!{sys.executable}\nimport sys\n{source}\n")
    dot.chmod(0o755)


def test_without_graphviz_it_is_said_what_to_install(path: Path) -> None:
    with pytest.raises(
        CannotDraw, match=r"pip install 'distgraph\[drawing\]', or install Graphviz"
    ):
        nested().draw_svg()


def test_the_program_dot_is_used(path: Path) -> None:
    program(path, "print(sys.argv[1:], sys.stdin.read())")
    drawing = nested("ü")
    written = dot_of(drawing.nodes.values(), drawing.edges)
    assert drawing.draw_svg() == f"['-Tsvg'] {written}\n"


@pytest.mark.parametrize(
    ("source", "says"),
    [("sys.exit('no such format')", "no such format"), ("sys.exit(3)", "exit status 3")],
)
def test_a_program_that_fails_is_told_in_its_words(path: Path, source: str, says: str) -> None:
    program(path, source)
    with pytest.raises(CannotDraw, match=f"dot did not draw the graph: .*{says}"):
        nested().draw_svg()


def test_a_program_that_cannot_be_started_is_told(path: Path) -> None:
    (path / "dot").write_text("")
    (path / "dot").chmod(0o755)
    with pytest.raises(CannotDraw, match="dot did not draw the graph"):
        nested().draw_svg()


def test_an_image_is_returned_and_written_where_it_is_wanted(tmp_path: Path) -> None:
    drawn = nested("ü").draw_mermaid_png(output_file_path=tmp_path / "graph.png")
    assert drawn.startswith(b"\x89PNG\r\n")
    assert drawn == (tmp_path / "graph.png").read_bytes() == nested("ü").draw_mermaid_png()


def test_an_image_needs_what_svg_needs(path: Path) -> None:
    with pytest.raises(CannotDraw, match=r"PNG is made by Graphviz, .*draw_mermaid\(\) needs"):
        nested().draw_mermaid_png()
    program(path, "sys.stdout.buffer.write(repr(sys.argv[1:]).encode())")
    assert nested().draw_mermaid_png() == b"['-Tpng']"


# --- notebooks -------------------------------------------------------------------------------


def test_a_notebook_shows_svg_mermaid_or_text() -> None:
    graph = built("a").compile(name="orders")
    bundle = graph._repr_mimebundle_(include=None, exclude=None)
    assert bundle.keys() == {"text/plain", "text/vnd.mermaid", "image/svg+xml"}
    assert ET.fromstring(bundle["image/svg+xml"]).tag == f"{SVG}svg"
    assert bundle["text/vnd.mermaid"] == graph.get_graph().draw_mermaid()
    assert bundle["text/plain"] == "graph orders\n  __start__ --> a\n  a --> __end__"
    assert graph.get_graph()._repr_mimebundle_() == bundle


def test_a_notebook_without_graphviz_shows_the_rest(path: Path) -> None:
    assert built("a").compile()._repr_mimebundle_().keys() == {"text/plain", "text/vnd.mermaid"}


def test_a_notebook_does_not_lay_out_what_takes_long() -> None:
    names = [str(number) for number in range(MOST_EDGES // 2)]
    builder = built(*names).add_conditional_edges("0", node).add_conditional_edges("1", node)
    graph = builder.compile()
    assert graph._repr_mimebundle_().keys() == {"text/plain", "text/vnd.mermaid"}


def test_text_has_a_line_for_each_edge() -> None:
    assert str(nested()).splitlines()[1:4] == [
        "  __start__ --> a",
        "  a -.-> __end__  (no)",
        '  a -.-> in ner:x  (so "be" it)',
    ]


def test_nothing_that_draws_is_imported_before_it_is_needed() -> None:
    ask = "import sys, distgraph.graph; print(*(n for n in sys.modules if '.drawing.' in n))"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    ).stdout
    assert not told.split()
