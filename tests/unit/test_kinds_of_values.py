"""What kind of mapping or text a caller or a node gives, and values that cannot be compared."""

from __future__ import annotations

import enum
import types
from collections import ChainMap, OrderedDict, UserDict, defaultdict
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn, TypedDict, cast

import pytest
from pydantic import BaseModel

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.errors import InvalidUpdateError
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, Overwrite, Send, StateUpdate, interrupt
from tests.support.site import on

# --- inputs -------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    name: str
    size: int


class Request(BaseModel):
    name: str
    size: int | None = None
    other: int = 1


@dataclass
class Order:
    name: str
    other: int = 1


class Record(dict[str, str]):
    pass


class Key(enum.StrEnum):
    NAME = "name"


KINDS = [
    OrderedDict(name="abc"),
    defaultdict(str, name="abc"),
    Record(name="abc"),
    types.MappingProxyType({"name": "abc"}),
    ChainMap({}, {"name": "abc"}),
    UserDict(name="abc"),
    {Key.NAME: "abc"},
    [(Key.NAME, "abc")],
    Request(name="abc"),
    Order("abc"),
]


@pytest.mark.parametrize("given", KINDS, ids=lambda given: type(given).__name__)
def test_an_input_says_only_which_keys_get_which_values(given: Any) -> None:
    builder = StateGraph(State).add_node("measure", lambda state: {"size": len(state["name"])})
    saver = InMemorySaver()
    graph = builder.add_edge(START, "measure").compile(checkpointer=saver)
    whole = {"name": "abc", "size": 3}
    assert graph.invoke(given, on("1")) == whole
    graph.update_state(on("2"), given, as_node="__input__")
    assert graph.invoke(None, on("2")) == whole
    assert graph.invoke(Command(update=given, goto="measure"), on("2")) == whole
    first = list(graph.get_state_history(on("1")))[-1]
    assert first.tasks[0].result == {"name": "abc"}
    (stored,) = (each for each in saver.list(on("1")) if each.metadata["source"] == "input")
    assert type(stored.checkpoint["channel_values"][START]) in (dict, list)


def test_what_the_fields_of_an_input_raise_is_told_and_nothing_is_stored() -> None:
    class Broken(UserDict[str, str]):
        def __getitem__(self, key: str) -> NoReturn:
            raise RuntimeError("no such luck")

    builder = StateGraph(State).add_node("measure", lambda _: {"size": 1})
    graph = builder.add_edge(START, "measure").compile(checkpointer=InMemorySaver())
    with pytest.raises(RuntimeError, match="no such luck"):
        graph.invoke(cast("Any", Broken(name="a")), on("1"))
    assert graph.get_state(on("1")).values == {}


def test_an_input_that_is_none_stays_refused() -> None:
    builder = StateGraph(State).add_node("measure", lambda _: {"size": 1})
    graph: Any = builder.add_edge(START, "measure").compile()
    with pytest.raises(InvalidUpdateError, match="The input must be a dict"):
        graph.invoke(Request)


# --- names --------------------------------------------------------------------------------------


class Step(str, enum.Enum):  # noqa: UP042 the text of such a member is not its value
    ASK = "ask"
    SORT = "sort"
    END = "end"


def named(step: Any) -> StateGraph[Any]:
    """A graph whose first node is followed by SORT, in the way that `step` names."""

    def ask(_: State) -> Any:
        interrupt(Step.ASK)
        return Command(goto=Step.SORT) if step == "goto" else None

    def sort(_: State) -> dict[Any, Any]:
        return {Key.NAME: Step.SORT}

    def chosen(_: State) -> Any:
        return Send(Step.SORT, {}) if step == "send" else [Step.SORT]

    def hinted(_: State) -> Literal[Step.SORT, Step.END]:
        return Step.SORT

    builder = StateGraph(State)
    builder.add_sequence([(Step.ASK, ask)]).add_edge(START, Step.ASK)
    builder.add_node(Step.SORT, sort).add_node(Step.END, lambda _: {"size": 1})
    builder.add_edge([Step.ASK, Step.SORT], Step.END).add_edge(Step.END, END)
    match step:
        case "edge":
            builder.add_edge(Step.ASK, Step.SORT)
        case "path" | "send":
            builder.add_conditional_edges(Step.ASK, chosen)
        case "map":
            builder.add_conditional_edges(Step.ASK, chosen, {"sort": Step.SORT})
        case "ends":
            builder.add_conditional_edges(Step.ASK, chosen, [Step.SORT])
        case "hint":
            builder.add_conditional_edges(Step.ASK, hinted)
        case _:
            assert step == "goto"
    return builder


@pytest.mark.parametrize("step", ["edge", "path", "send", "map", "ends", "hint", "goto"])
def test_members_of_a_str_enum_name_nodes_and_keys(step: str) -> None:
    graph = named(step).compile(checkpointer=InMemorySaver(), interrupt_before=[Step.END])
    assert [type(name) for name in graph.graph.nodes] == [str] * 4
    graph.invoke({}, on("1"))
    graph.invoke(Command(resume="yes"), on("1"))
    (waiting,) = graph.get_state(on("1")).next
    assert (waiting, type(waiting)) == ("end", str)
    assert graph.invoke(None, on("1")) == {"name": "sort", "size": 1}
    graph.bulk_update_state(on("1"), [[StateUpdate({"size": 2}, Step.END)]])
    assert graph.get_state(on("1")).values == {"name": "sort", "size": 2}


# --- values that cannot be compared -------------------------------------------------------------


class Table:
    """As those of numpy and pandas: comparing gives a table, which is neither true nor false.

    It has columns of any name.
    """

    def __init__(self, *rows: Any) -> None:
        self.rows = rows

    def __eq__(self, other: object) -> Any:
        return Table(*(row == other for row in self.rows))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Table(name)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> NoReturn:
        raise ValueError("the truth value of a table is ambiguous")


def joined(left: Table, right: Table) -> Table:
    return Table(*left.rows, *right.rows)


class Tables(TypedDict, total=False):
    last: Any
    folded: Annotated[Any, joined]
    total: int


GIVEN: Any = {"last": Table(1), "folded": Table(2)}


def tables(written: Any) -> Any:
    def total(state: Tables) -> dict[str, int]:
        return {"total": len(state["folded"].rows)}

    builder = StateGraph(Tables).add_node("load", lambda _: written).add_node("total", total)
    return builder.add_edge(START, "load").add_edge("load", "total").compile()


@pytest.mark.parametrize(
    ("written", "total"),
    [
        ({}, 1),
        ({"last": [Table(1)]}, 1),
        ({"folded": Table(3, 4)}, 3),
        ({"folded": Overwrite(Table(3, 4, 5))}, 3),
        ({"last": {"type": Table(), "value": 1, "role": Table(), "content": Table()}}, 1),
        (Command(update={"last": Table(1)}), 1),
    ],
)
def test_they_pass_through_a_state_that_nobody_stores(written: Any, total: int) -> None:
    graph = tables(written)
    assert graph.invoke(GIVEN)["total"] == total
    for mode in ("values", "updates", "tasks", "messages"):
        list(graph.stream(GIVEN, stream_mode=mode))


async def test_they_pass_on_an_event_loop_and_in_graphs_inside_nodes() -> None:
    builder = StateGraph(Tables).add_node("inner", tables({"folded": Table(3)}))
    graph: Any = builder.add_edge(START, "inner").compile()
    assert (await graph.ainvoke(GIVEN))["total"] == 2


@pytest.mark.parametrize("chosen", [Table(1), [Table(1)]])
def test_one_that_a_path_function_chose_leads_nowhere(chosen: Any) -> None:
    builder = StateGraph(Tables).add_node("load", lambda _: None).add_edge(START, "load")
    builder.add_conditional_edges("load", lambda _: chosen)
    with pytest.raises(InvalidUpdateError, match="Node 'load' named Table as its goto"):
        builder.compile().invoke(GIVEN)


def test_one_that_is_to_be_stored_is_refused_by_its_key() -> None:
    graph = tables({"last": Table(1)}).builder.compile(checkpointer=InMemorySaver())
    with pytest.raises(InvalidUpdateError, match=r"'load'.*'last'"):
        graph.invoke({"folded": 1}, on("1"))
