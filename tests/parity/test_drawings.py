"""Pictures tell of a graph what LangGraph's tell: nodes, edges, labels, graphs inside nodes.

Drawn otherwise is what LangGraph's simulation does not tell: a conditional edge of which no end is
known, further labels of one end, edges beside each other, nodes that no edge leads to, and
breakpoints at all nodes.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import sys
from collections.abc import Callable
from typing import Any, Literal, TypedDict

import pytest
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.tools import tool

from distgraph.errors import CannotDraw
from tests.parity.engines import DISTGRAPH, LANGGRAPH, Engine


class State(TypedDict, total=False):
    n: int


def node(state: State) -> Any:
    return {}


def path(state: State) -> Any:
    return "b"


def either(state: State) -> Literal["b", "__end__"]:
    return "b"


def with_nodes(engine: Engine, names: str) -> Any:
    builder = engine.StateGraph(State)
    for name in names:
        builder.add_node(name, node)
    return builder


def linked(builder: Any, *edges: tuple[Any, str]) -> Any:
    for start, end in edges:
        builder.add_edge(start, end)
    return builder


def chain(engine: Engine) -> Any:
    ends = ((engine.START, "a"), ("a", "b"), ("b", engine.END))
    return linked(with_nodes(engine, "ab"), *ends)


def implicit_end(engine: Engine) -> Any:
    return linked(with_nodes(engine, "abc"), (engine.START, "a"), ("a", "b"), ("a", "c"))


def join(engine: Engine) -> Any:
    builder = linked(with_nodes(engine, "abc"), (engine.START, "a"), (engine.START, "b"))
    return linked(builder, (["a", "b"], "c"), ("c", engine.END))


def path_map(engine: Engine) -> Any:
    ends = {True: "b", 2: "c", "stop": engine.END, "a": "a"}
    builder = linked(with_nodes(engine, "abc"), (engine.START, "a"))
    return builder.add_conditional_edges("a", path, ends)


def path_list(engine: Engine) -> Any:
    return with_nodes(engine, "ab").add_conditional_edges(engine.START, path, ["a", "b"])


def annotated_path(engine: Engine) -> Any:
    return linked(with_nodes(engine, "ab"), (engine.START, "a")).add_conditional_edges("a", either)


def two_paths(engine: Engine) -> Any:
    builder = linked(with_nodes(engine, "abc"), (engine.START, "a"), ("b", "a"))
    builder.add_conditional_edges("a", path, {"go": "b", "stop": engine.END})
    return builder.add_conditional_edges("a", either, {"other": "c"})


def commands(engine: Engine) -> Any:
    def hop(state: State) -> Any:
        return {}

    hop.__annotations__["return"] = engine.Command[Literal["b", "__end__"]]
    builder = with_nodes(engine, "b").add_node("a", hop)
    return linked(builder, (engine.START, "a"))


def destinations(engine: Engine) -> Any:
    builder = with_nodes(engine, "bcd")
    builder.add_node("a", node, destinations={"b": "large", "c": "small"})
    builder.add_node("e", node, destinations=("d", "a"))
    return linked(builder, (engine.START, "a"), ("c", "e"))


def facts_of_nodes(engine: Engine) -> Any:
    builder = with_nodes(engine, "bc").add_node("a", node, defer=True, metadata={"team": "x"})
    return linked(builder, (engine.START, "b"), (engine.START, "c"), ("b", "a"), ("c", "a"))


def graph_as_a_node(engine: Engine) -> Any:
    builder = with_nodes(engine, "a").add_node("inner", chain(engine).compile())
    return linked(builder, (engine.START, "a"), ("a", "inner"), ("inner", engine.END))


def graph_with_two_starts_and_ends(engine: Engine) -> Any:
    inner = linked(with_nodes(engine, "ab"), (engine.START, "a"), (engine.START, "b")).compile()
    builder = with_nodes(engine, "xy").add_node("inner", inner)
    return linked(builder, (engine.START, "x"), ("x", "inner"), ("inner", "y"))


def graph_that_begins_in_a_loop(engine: Engine) -> Any:
    inner = two_paths(engine).compile()
    builder = with_nodes(engine, "x").add_node("inner", inner)
    return linked(builder, (engine.START, "x"), ("x", "inner"))


def graph_that_a_function_calls(engine: Engine) -> Any:
    inner = chain(engine).compile()

    def call(state: State) -> Any:
        return inner.invoke(state)

    return linked(engine.StateGraph(State).add_node("asks", call), (engine.START, "asks"))


def waits_for_others(engine: Engine) -> Any:
    builder = with_nodes(engine, "abc").add_node("late", node, defer=True)
    return linked(builder, (engine.START, "a"), ("a", "b"), ("a", "late"), ("b", "c"))


def words_of_mermaid(engine: Engine) -> Any:
    builder = linked(with_nodes(engine, "ab"), (engine.START, "a"))
    return builder.add_conditional_edges("a", path, {"end": engine.END, "to the end": "b"})


class Called:
    def __call__(self, state: State) -> Any:
        return node(state)

    def method(self, state: State) -> Any:
        return node(state)


def kinds_of_nodes(engine: Engine) -> Any:
    async def coroutine(state: State) -> Any:
        return {}

    builder = engine.StateGraph(State)
    for name, action in (
        ("coroutine", coroutine),
        ("callable", Called()),
        ("method", Called().method),
        ("partial", functools.partial(node)),
        ("runnable", RunnableLambda(node)),
        ("sequence", RunnableLambda(node) | RunnablePassthrough()),
        ("tools", engine.ToolNode([first, second])),
    ):
        builder.add_node(name, action, metadata={"of": ["x", "y"]}).add_edge(engine.START, name)
    return builder


@tool
def first(x: int) -> int:
    """Do the first thing."""
    return x


@tool
def second(x: int) -> int:
    """Do the second thing."""
    return x


def three_levels(engine: Engine) -> Any:
    middle = graph_as_a_node(engine).compile()
    builder = with_nodes(engine, "xz").add_node("y", middle)
    return linked(builder, (engine.START, "x"), ("x", "y"), ("y", "z"))


def capital_names(engine: Engine) -> Any:
    builder = engine.StateGraph(State)
    for name in ("Call Tool", "Writer", "ask"):
        builder.add_node(name, node)
    builder.add_conditional_edges("Writer", path, {"on": "Call Tool", "off": engine.END})
    return linked(builder, (engine.START, "Writer"), ("Call Tool", "ask"), ("ask", "Writer"))


GRAPHS = [
    capital_names,
    chain,
    implicit_end,
    join,
    path_map,
    path_list,
    annotated_path,
    two_paths,
    commands,
    destinations,
    facts_of_nodes,
    waits_for_others,
    words_of_mermaid,
    kinds_of_nodes,
    graph_as_a_node,
    graph_with_two_starts_and_ends,
    graph_that_begins_in_a_loop,
    graph_that_a_function_calls,
    three_levels,
]


def facts(drawn: Any) -> Any:
    nodes = {
        key: (node.id, node.name, dict(node.metadata or {})) for key, node in drawn.nodes.items()
    }
    return nodes, sorted(map(str, (tuple(edge) for edge in drawn.edges)))


@pytest.mark.parametrize("xray", [False, True, 1, 2])
@pytest.mark.parametrize("build", GRAPHS)
def test_a_picture_tells_what_langgraph_tells(build: Callable[[Engine], Any], xray: Any) -> None:
    ours, theirs = (build(engine).compile() for engine in (DISTGRAPH, LANGGRAPH))
    assert facts(ours.get_graph(xray=xray)) == facts(theirs.get_graph(xray=xray))


@pytest.mark.parametrize("xray", [False, 1, True])
@pytest.mark.parametrize("build", GRAPHS)
def test_mermaid_is_the_text_that_langgraph_gives(
    build: Callable[[Engine], Any], xray: Any
) -> None:
    ours, theirs = (build(e).compile().get_graph(xray=xray) for e in (DISTGRAPH, LANGGRAPH))
    assert ours.draw_mermaid() == theirs.draw_mermaid()
    assert ours.draw_mermaid(with_styles=False) == theirs.draw_mermaid(with_styles=False)
    assert ours.edges == theirs.edges
    assert plain(ours) == plain(theirs)


def plain(drawn: Any) -> str:
    """Return nodes and edges as JSON, in which only the name of the package may differ."""
    return json.dumps(drawn.to_json(with_schemas=True)).replace('"langgraph"', '"distgraph"')


def some_graph(engine: Engine, seed: int) -> Any:
    """Return a graph without loops, of which some nodes wait for the others."""
    drawn, names = random.Random(seed), "abcdefg"
    late = drawn.sample(names, 2)
    builder = engine.StateGraph(State)
    for name in names:
        builder.add_node(name, node, defer=name in late)
    ends = {(drawn.choice(names[:place]), name) for place, name in enumerate(names) if place}
    linked(builder, (engine.START, "a"), *sorted(ends))
    start, end = sorted(drawn.sample(names, 2))
    if (start, end) not in ends:
        builder.add_conditional_edges(start, path, [end])
    sources = sorted(drawn.sample(names[:-1], 2))
    return linked(builder, *([] if ends & {(one, "g") for one in sources} else [(sources, "g")]))


@pytest.mark.parametrize("seed", range(40))
def test_what_waits_for_others_is_drawn_behind_them(seed: int) -> None:
    ours, theirs = (some_graph(e, seed).compile().get_graph() for e in (DISTGRAPH, LANGGRAPH))
    assert ours.draw_mermaid() == theirs.draw_mermaid()


def test_the_first_and_the_last_node_are_those_of_langgraph() -> None:
    for build in (chain, implicit_end, path_list, graph_with_two_starts_and_ends):
        drawn = [build(e).compile().get_graph() for e in (DISTGRAPH, LANGGRAPH)]
        ours, theirs = ([d.first_node(), d.last_node()] for d in drawn)
        assert [one and one.id for one in ours] == [one and one.id for one in theirs]


def test_workflows_are_drawn_as_langgraphs() -> None:
    def work(given: int) -> int:
        return given

    ours, theirs = (e.entrypoint()(work).get_graph() for e in (DISTGRAPH, LANGGRAPH))
    assert plain(ours) == plain(theirs)
    assert ours.draw_mermaid() == theirs.draw_mermaid()


def test_long_labels_and_other_curves_are_written_as_langgraph_does() -> None:
    texts = []
    for engine in (DISTGRAPH, LANGGRAPH):
        label = "a label of many words that is broken after some of them"
        builder = linked(with_nodes(engine, "ab"), (engine.START, "a"))
        builder.add_conditional_edges("a", path, {label: "b", "more of it": engine.END})
        drawn = builder.compile().get_graph()
        texts += [drawn.draw_mermaid(), drawn.draw_mermaid(wrap_label_n_words=2)]
    assert texts[:2] == texts[2:]
    assert "curve: basis\n" in drawn_by_default().draw_mermaid(curve_style="basis")


def drawn_by_default() -> Any:
    return chain(DISTGRAPH).compile().get_graph()


def test_with_asyncio_it_tells_the_same() -> None:
    ours, theirs = (three_levels(engine).compile() for engine in (DISTGRAPH, LANGGRAPH))
    drawn = [facts(asyncio.run(one.aget_graph(xray=True))) for one in (ours, theirs)]
    assert drawn[0] == drawn[1] == facts(ours.get_graph(xray=True))


def test_static_breakpoints_are_told() -> None:
    stops = {"interrupt_before": ["b"], "interrupt_after": ["a", "b"]}
    ours, theirs = (chain(engine).compile(**stops) for engine in (DISTGRAPH, LANGGRAPH))
    assert facts(ours.get_graph()) == facts(theirs.get_graph())


def test_an_unknown_destination_is_refused() -> None:
    for engine in (DISTGRAPH, LANGGRAPH):
        builder = with_nodes(engine, "b").add_node("a", node, destinations=("nowhere",))
        with pytest.raises(ValueError, match="Found edge ending at unknown node `nowhere`"):
            linked(builder, (engine.START, "a")).compile()


def test_pictures_of_characters_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    def drawn(engine: Engine) -> Any:
        builder = with_nodes(engine, "abc").add_edge(engine.START, "a")
        builder.add_conditional_edges("a", either).add_edge("b", "c")
        return builder.compile().get_graph()

    picture = drawn(DISTGRAPH).draw_ascii()
    assert "__start__" in picture
    assert picture == drawn(LANGGRAPH).draw_ascii()
    drawn(DISTGRAPH).print_ascii()
    assert capsys.readouterr().out == f"{picture}\n"


@pytest.mark.parametrize("missing", ["grandalf", "langchain_core.runnables.graph_ascii"])
def test_who_cannot_draw_characters_is_told_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = with_nodes(DISTGRAPH, "a").add_edge(DISTGRAPH.START, "a").compile().get_graph()
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr("langchain_core.runnables.graph_ascii._HAS_GRANDALF", False)
    with pytest.raises(CannotDraw, match=r"pip install 'distgraph\[ascii\]'"):
        picture.draw_ascii()
