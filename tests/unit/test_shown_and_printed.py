"""What calls of a graph take to show a run: modes, what is printed, version "v2"."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.graph import START, StateGraph
from distgraph.types import CheckpointPayload, GraphOutput, StreamPart, UpdatesStreamPart


class Count(TypedDict, total=False):
    n: int


def counting(node: Any = lambda _: {"n": 1}, **compiled: Any) -> Any:
    return StateGraph(Count).add_node("count", node).add_edge(START, "count").compile(**compiled)


THREAD = {"configurable": {"thread_id": "t"}}


def test_print_mode_prints_beside_what_is_returned(capsys: pytest.CaptureFixture[str]) -> None:
    graph = counting()
    assert graph.invoke({"n": 0}, print_mode=["updates", "values"]) == {"n": 1}
    assert capsys.readouterr().out.splitlines() == [
        "[values] {'n': 0}",
        "[updates] {'count': {'n': 1}}",
        "[values] {'n': 1}",
    ]
    assert list(graph.stream({}, print_mode="values", stream_mode="updates")) == [
        {"count": {"n": 1}}
    ]
    assert capsys.readouterr().out == "[values] {'n': 1}\n"


def test_a_graph_is_told_once_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    graph = counting(debug=True)
    assert graph.invoke({"n": 0}) == {"n": 1}
    assert capsys.readouterr().out.splitlines()[0] == "[values] {'n': 0}"
    graph.invoke({"n": 0}, debug=False)
    assert capsys.readouterr().out == ""


def test_debug_prints_updates_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counting().stream({"n": 0}, debug=True)) == [{"count": {"n": 1}}]
    assert capsys.readouterr().out.count("[values]") == 2


async def test_what_is_printed_on_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    assert await counting().ainvoke({}, print_mode="values") == {"n": 1}
    assert capsys.readouterr().out == "[values] {'n': 1}\n"


def test_what_is_printed_of_a_graph_inside_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    graph = counting(counting())
    list(graph.stream({"n": 0}, print_mode="updates", stream_mode="custom", subgraphs=True))
    inside, outside = capsys.readouterr().out.splitlines()
    assert inside.startswith("[count:")
    assert inside.endswith("[updates] {'count': {'n': 1}}")
    assert outside == "[updates] {'count': {'n': 1}}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"version": "v3"}, "version must be 'v1' or 'v2', not 'v3'"),
        ({"print_mode": "value"}, "Unknown print_mode 'value'. The modes are: values, updates"),
        ({"stream_mode": "checkpoint"}, "Unknown stream_mode 'checkpoint'"),
    ],
    ids=["version", "print_mode", "stream_mode"],
)
def test_what_is_not_known_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        counting().invoke({}, **options)


@pytest.mark.parametrize("mode", ["tasks", "debug"])
def test_a_failed_task_is_shown_with_its_exception(mode: str) -> None:
    error = ValueError("no")

    def fails(_: Any) -> Any:
        raise error

    shown: list[Any] = []
    with pytest.raises(ValueError, match="no"):
        shown.extend(counting(fails).stream({}, stream_mode=mode))
    last = shown[-1]
    assert last.get("payload", last)["error"] is error


def test_a_graph_that_keeps_nothing_shows_no_checkpoints() -> None:
    graph = counting(counting(checkpointer=False), checkpointer=InMemorySaver())
    options: dict[str, Any] = {"stream_mode": "checkpoints", "subgraphs": True}
    assert {place for place, _ in graph.stream({}, THREAD, **options)} == {()}
    assert list(counting().stream({}, stream_mode=["checkpoints"])) == []


def test_a_question_is_apart_from_the_result_in_version_two() -> None:
    made: GraphOutput[Any] = counting().invoke({"n": 3}, version="v2")
    assert made == GraphOutput({"n": 1}, ())


def test_parts_tell_their_types() -> None:
    parts: list[StreamPart[Any, Any]] = list(counting().stream({}, version="v2"))
    expected: UpdatesStreamPart = {"type": "updates", "ns": (), "data": {"count": {"n": 1}}}
    assert parts == [expected]


def test_a_checkpoint_has_what_its_type_says() -> None:
    graph = counting(checkpointer=InMemorySaver())
    *_, last = graph.stream({}, THREAD, stream_mode="checkpoints")
    assert last.keys() == CheckpointPayload.__annotations__.keys()
    assert last["config"] == graph.get_state(THREAD).config
