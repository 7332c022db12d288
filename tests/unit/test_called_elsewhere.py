"""`distributed=True`: what it means in process, and where it is refused."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.func import entrypoint, task
from distgraph.graph import START, StateGraph
from distgraph.types import Command, interrupt

THREAD: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    n: int


def asks(state: State) -> State:
    return {"n": state["n"] + interrupt("how many?")}


def one(node: Any) -> StateGraph[Any]:
    return StateGraph(State).add_node("node", node).add_edge(START, "node")


INNER = one(lambda state: {"n": state["n"] + 1}).compile()
ASKING = one(asks).compile()


def test_in_process_it_is_the_call_that_it_is_without() -> None:
    graph = one(lambda state: ASKING.invoke(state, distributed=True)).compile(
        checkpointer=InMemorySaver()
    )
    (asked,) = graph.invoke({"n": 1}, THREAD)["__interrupt__"]
    assert asked.value == "how many?"
    inside: Any = graph.get_state(THREAD, subgraphs=True).tasks[0].state
    assert inside.values == {"n": 1}
    assert graph.invoke(Command(resume=2), THREAD) == {"n": 3}


async def test_on_a_loop_too() -> None:
    async def node(state: State) -> Any:
        return await INNER.ainvoke(state, distributed=True)

    assert await one(node).compile().ainvoke({"n": 1}) == {"n": 2}


def test_in_a_workflow_and_what_it_calls() -> None:
    @task
    def function(n: int) -> int:
        found: int = INNER.invoke({"n": n}, distributed=True)["n"]
        return found

    @entrypoint()
    def workflow(n: int) -> int:
        return function(INNER.invoke({"n": n}, distributed=True)["n"]).result()

    assert workflow.invoke(1) == 3


def test_outside_of_a_node_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"is a call in a node, on the node's thread.* submit\(\)"):
        INNER.invoke({"n": 1}, distributed=True)


def test_on_a_thread_of_its_own_it_is_refused() -> None:
    def node(state: State) -> Any:
        return INNER.invoke(state, {"configurable": {"thread_id": "2"}}, distributed=True)

    graph = one(node).compile(checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="on a thread of its own, use"):
        graph.invoke({"n": 1}, THREAD)


def test_it_returns_no_chunks() -> None:
    def node(state: State) -> Any:
        return INNER.invoke(state, distributed=True, stream_mode="updates")

    with pytest.raises(ValueError, match="stream_mode must be 'values', not 'updates'"):
        one(node).compile().invoke({"n": 1})


def test_who_says_that_it_is_not_distributed_may_have_chunks() -> None:
    chunks: Any = INNER.invoke({"n": 1}, distributed=False, stream_mode="updates")
    assert chunks == [{"node": {"n": 2}}]


@pytest.mark.parametrize("call", ["stream", "submit"])
def test_no_other_call_takes_it(call: str) -> None:
    graph: Any = INNER
    if call == "submit":
        graph = one(asks).compile()
        graph.backend.submit = None
    with pytest.raises(TypeError, match=rf"{call}\(\) got an unexpected option 'distributed'"):
        list(getattr(graph, call)({"n": 1}, distributed=True))


def test_its_version_is_the_callers() -> None:
    def node(state: State) -> Any:
        return INNER.invoke(state, distributed=True, version="v2").value

    assert one(node).compile().invoke({"n": 1}) == {"n": 2}
