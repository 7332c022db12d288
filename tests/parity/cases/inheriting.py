"""What a graph inside a node inherits of the run around it: config, metadata, context, place."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypedDict

from tests.parity.cases.common import add
from tests.parity.cases.interrupts import asking
from tests.parity.cases.leaving import around, line
from tests.parity.cases.pausing import answered, deeper
from tests.parity.engines import Engine
from tests.parity.nesting import frames
from tests.parity.observe import invoked, shown, state, thread

RunnableConfig = dict[str, Any]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def plain(value: Any) -> Any:
    """`value` without ids of tasks and checkpoints."""
    if isinstance(value, dict):
        return {_ID.sub("id", str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    return _ID.sub("id", value) if isinstance(value, str) else value


MENTIONED = ("thread_id", "checkpoint_ns")


def seeing(seen: list[Any], name: str) -> Callable[..., Any]:
    """A node that notes what of the caller's config it is given."""

    def node(state: Any, config: RunnableConfig) -> Any:
        place = config["configurable"]
        kept = {key: place.get(key) for key in ("thread_id", "checkpoint_ns", "mine", "yours")}
        # There, metadata also has the namespace of the outermost task around.
        about = {k: v for k, v in config["metadata"].items() if k not in MENTIONED}
        seen.append(plain([name, kept, about, sorted(config.get("tags") or ())]))
        seen.append([name, config.get("recursion_limit"), config.get("max_concurrency")])
        return {"xs": [name]}

    return node


def calling(engine: Engine, graph: Any, *args: Any, **options: Any) -> Callable[..., Any]:
    """A node that calls `graph` with these arguments behind its input."""

    async def calls_async(state: Any) -> Any:
        return {"xs": (await graph.ainvoke({"total": 1}, *args, **options))["xs"]}

    def calls_sync(state: Any) -> Any:
        return {"xs": graph.invoke({"total": 1}, *args, **options)["xs"]}

    return calls_async if engine.asynchronous else calls_sync


CALLER = {
    "tags": ["outer"],
    "metadata": {"who": "caller", "both": 1},
    "recursion_limit": 17,
    "max_concurrency": 3,
}


def config(**configurable: Any) -> Any:
    """The caller's config."""
    return {"configurable": {"thread_id": "t", **configurable}, **CALLER}


def case_the_config_of_the_caller_reaches_every_level(engine: Engine) -> Any:
    seen: list[Any] = []
    inside = line(engine, node=seeing(seen, "deep")).compile()
    for levels in (0, 1, 2):
        client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, levels)))
        invoked(client, {"xs": []}, config(mine=1))
    return seen


def case_a_call_adds_to_the_config(engine: Engine) -> Any:
    seen: list[Any] = []
    inside = line(engine, node=seeing(seen, "deep")).compile()
    own = {
        "configurable": {"yours": 2, "mine": 3},
        "tags": ["inner"],
        "metadata": {"both": 2, "new": True},
        "recursion_limit": 9,
    }
    for graph, args in ((inside, (own,)), (inside.with_config(own), ()), (inside, ())):
        client = engine.compile(around(engine, "sub", sub=calling(engine, graph, *args)))
        invoked(client, {"xs": []}, config(mine=1))
    client = engine.compile(around(engine, "sub", sub=inside.with_config(own)))
    invoked(client, {"xs": []}, config(mine=1))
    return seen


def case_a_call_may_have_a_thread_of_its_own(engine: Engine) -> Any:
    seen: list[Any] = []
    inside = line(engine, node=seeing(seen, "deep")).compile()
    own = {"configurable": {"thread_id": "own"}}
    client = engine.compile(around(engine, "sub", sub=calling(engine, inside, own)))
    made = invoked(client, {"xs": []}, config(mine=1))
    return [made, [each[1].get("thread_id") for each in seen if isinstance(each[1], dict)]]


def case_metadata_stands_with_the_checkpoints_inside(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), two=add("two")).compile(interrupt_before=["two"])
    client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, 1)))
    invoked(client, {"xs": []}, config(mine=1))
    found = client.get_state(thread(), subgraphs=True)
    seen = [plain(found.metadata)]
    while found.tasks and found.tasks[0].state is not None:
        found = found.tasks[0].state
        seen.append(plain([found.metadata, found.config["configurable"], found.next]))
    return seen


class Context(TypedDict, total=False):
    """What the caller's context has."""

    user: str


def case_the_context_reaches_every_level(engine: Engine) -> Any:
    seen: list[Any] = []

    def node(state: Any, runtime: engine.Runtime) -> Any:  # type: ignore[name-defined]
        info = runtime.execution_info
        place = [info.thread_id, plain(info.checkpoint_ns), info.node_attempt]
        seen.append([runtime.context, place, bool(info.task_id), bool(info.checkpoint_id)])
        return {"xs": ["n"]}

    node.__annotations__ = {"runtime": engine.Runtime}  # the package that runs it
    inside = line(engine, node=node).compile()
    for levels in (0, 1, 2):
        client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, levels)))
        invoked(client, {"xs": []}, context={"user": "ann"})
    other = calling(engine, inside, context={"user": "bob"})
    client = engine.compile(around(engine, "sub", sub=other))
    invoked(client, {"xs": []}, context={"user": "ann"})
    return seen


def case_what_asks_for_the_config_in_a_helper_finds_its_own(engine: Engine) -> Any:
    seen: list[Any] = []

    def node(state: Any) -> Any:
        found = engine.get_config()
        seen.append(plain([found["configurable"]["checkpoint_ns"], found["metadata"]["who"]]))
        return {"xs": ["n"]}

    inside = line(engine, node=node).compile()
    for levels in (0, 1, 2):
        client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, levels)))
        invoked(client, {"xs": []}, config())
    return seen


def case_graphs_called_side_by_side(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), two=add("two")).compile()

    async def calls_async(state: Any) -> Any:
        found = await asyncio.gather(*(inside.ainvoke({"total": n}) for n in range(3)))
        return {"xs": [each["total"] for each in found]}

    def calls_sync(state: Any) -> Any:
        with ThreadPoolExecutor(3) as pool:
            made = [pool.submit(copy_context().run, inside.invoke, {"total": n}) for n in range(3)]
            return {"xs": [each.result()["total"] for each in made]}

    node = calls_async if engine.asynchronous else calls_sync
    client = engine.compile(around(engine, "sub", sub=node))
    made = invoked(client, {"xs": []})
    return [made, state(client.get_state(thread()))]


def case_graphs_in_graphs_side_by_side_ask(engine: Engine) -> Any:
    nodes = {
        name: deeper(engine, line(engine, asks=asking(engine, name)).compile(), 2)
        for name in ("a", "b")
    }
    client = engine.compile(around(engine, *nodes, **nodes))
    made = [invoked(client, {"xs": []})]
    made.append(invoked(client, answered(engine, client)))
    return [made, frames(client, thread())]


def case_stops_and_keys_of_a_call_inside_are_its_own(engine: Engine) -> Any:
    inside = line(engine, one=add("one"), two=add("two")).compile()
    seen = []
    for options in ({"output_keys": ["xs"]}, {"output_keys": "xs"}, {"stream_mode": "updates"}):

        async def calls_async(state: Any, options: Any = options) -> Any:
            return {"xs": [shown(await inside.ainvoke({"total": 1}, **options))]}

        def calls_sync(state: Any, options: Any = options) -> Any:
            return {"xs": [shown(inside.invoke({"total": 1}, **options))]}

        node = calls_async if engine.asynchronous else calls_sync
        seen.append(invoked(engine.compile(around(engine, "sub", sub=node)), {"xs": []}))
    return seen
