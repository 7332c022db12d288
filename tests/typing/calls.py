"""What type checkers find in calls of a graph whose state is a TypedDict.

Each complaint is expected: both checkers also complain of an ``ignore`` that nothing needs.
"""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

from distgraph.graph import CompiledStateGraph, StateGraph
from distgraph.types import Command
from tests.typing.schemas import Asked, Context, State, Told
from workers import Run

graph = StateGraph(State).add_node("a", lambda _: {"count": 1}).compile(name="g")
assert_type(graph, CompiledStateGraph[State, Any, State, Any])

graph.invoke({"count": 1}, {"configurable": {"thread_id": "t"}})
graph.invoke({"count": 1, "note": "n"}, stream_mode=["updates"], durability="sync")
graph.invoke(None)
graph.invoke(Command(resume={"id": "answer"}))
graph.invoke({})["__interrupt__"][0].value
graph.invoke({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.invoke({"count": "1"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.invoke("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.invoke({}, durabilty="sync")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
graph.invoke({}, durability="s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.stream({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.submit({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.with_config(tags=["x"]).invoke({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
graph.on(object()).invoke({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

run = graph.submit({"count": 1})
assert_type(run, Run[Any])
assert_type(run.status, str)
run.reslut()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

snapshot = graph.get_state({})
assert_type(snapshot.values, State)
assert_type(snapshot.next, tuple[str, ...])
snapshot.values["cuont"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
for past in graph.get_state_history({}, limit=3):
    assert_type(past.values, State)

full = StateGraph(State, Context, input_schema=Asked, output_schema=Told).compile()
assert_type(full, CompiledStateGraph[State, Context, Asked, Told])
assert_type(full.invoke({"note": "n"}, context=Context("ada")), Told)
full.invoke({"note": "n"}, context={"user": "ada"})
full.invoke({"note": "n"}, context=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
full.invoke({"count": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
full.invoke({"note": "n"})["note"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
assert_type(full.submit({"note": "n"}).result(timeout=None), Told)


async def on_a_loop() -> None:
    await graph.ainvoke({"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await full.ainvoke({"note": "n"}), Told)
    assert_type(await full.asubmit({"note": "n"}), Run[Told])
    assert_type(await (await full.asubmit({"note": "n"})).aresult(), Told)
    async for _ in graph.astream({"cuont": 1}):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        pass
    assert_type((await graph.aget_state({})).values, State)


asyncio.run(on_a_loop())
