"""What a node or task left counts again where a cache has it."""

from __future__ import annotations

import operator
from functools import partial
from typing import Annotated, Any, TypedDict

from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, kind, thread

MODES = ["updates", "tasks", "values"]


class Total(TypedDict, total=False):
    """A number, and what the nodes that ran have added."""

    n: int
    xs: Annotated[list[Any], operator.add]


def double(state: Total) -> Any:
    return {"n": state["n"] * 2, "xs": [state["n"]]}


def told(chunks: list[Any]) -> list[Any]:
    """Chunks without what is another in each run."""
    return [(mode, {k: v for k, v in chunk.items() if k != "id"}) for mode, chunk in chunks]


def shown(client: Client, given: Any, name: str) -> list[Any]:
    return told(client.stream(given, thread(name), stream_mode=MODES))


def policy(engine: Engine, **options: Any) -> Any:
    return engine.CachePolicy(**options)


def case_a_node_is_not_run_again_on_the_same(engine: Engine) -> Any:
    builder = engine.StateGraph(Total)
    builder.add_node("a", double, cache_policy=policy(engine)).add_node("b", double)
    builder.add_edge(engine.START, "a").add_edge("a", "b")
    client = engine.compile(builder, cache=engine.cache())
    seen = [shown(client, {"n": n}, str(place)) for place, n in enumerate((1, 1, 2))]
    return [*seen, everything(client, thread("1"))]


def case_defaults_of_nodes_may_have_a_policy(engine: Engine) -> Any:
    builder = engine.StateGraph(Total).set_node_defaults(cache_policy=policy(engine, ttl=60))
    builder.add_node("a", double).add_node("b", double)
    builder.add_edge(engine.START, "a").add_edge("a", "b")
    client = engine.compile(builder, cache=engine.cache())
    return [shown(client, {"n": 1}, name) for name in "xy"]


def case_a_key_says_what_counts_as_equal(engine: Engine) -> Any:
    builder = engine.StateGraph(Total)
    own = policy(engine, key_func=lambda state: str(state["n"] % 2))
    builder.add_node("a", double, cache_policy=own).add_edge(engine.START, "a")
    client = engine.compile(builder, cache=engine.cache())
    return [shown(client, {"n": n}, str(n)) for n in (1, 3, 2)]


def case_commands_and_sends_count_again(engine: Engine) -> Any:
    def go(state: Total) -> Any:
        sends = [engine.Send("b", {"n": n}) for n in (4, 5)]
        return engine.Command(update={"xs": ["go"]}, goto=[*sends, "c"])

    builder = engine.StateGraph(Total)
    builder.add_node("a", go, cache_policy=policy(engine))
    builder.add_node("b", lambda given: {"xs": [given["n"]]})
    builder.add_node("c", lambda _: {"xs": ["c"]}).add_edge(engine.START, "a")
    client = engine.compile(builder, cache=engine.cache())
    return [client.invoke({"n": 1}, thread(name)) for name in "xy"]


def case_paths_count_again(engine: Engine) -> Any:
    def path(state: Total) -> str:
        return "b" if state["n"] > 2 else "c"

    builder = engine.StateGraph(Total)
    builder.add_node("a", double, cache_policy=policy(engine))
    builder.add_node("b", lambda _: {"xs": ["b"]}).add_node("c", lambda _: {"xs": ["c"]})
    builder.add_edge(engine.START, "a").add_conditional_edges("a", path, ["b", "c"])
    client = engine.compile(builder, cache=engine.cache())
    return [client.invoke({"n": n}, thread(str(place))) for place, n in enumerate((1, 2, 1, 2))]


def case_without_a_cache_a_policy_says_nothing(engine: Engine) -> Any:
    builder = engine.StateGraph(Total)
    builder.add_node("a", double, cache_policy=policy(engine)).add_edge(engine.START, "a")
    client = engine.compile(builder)
    return [shown(client, {"n": 1}, name) for name in "xy"]


def _inside(engine: Engine, **options: Any) -> Any:
    inner = engine.StateGraph(Total).add_node("a", double, cache_policy=policy(engine))
    inner = inner.add_edge(engine.START, "a").compile(**options)
    builder = engine.StateGraph(Total).add_node("inside", inner).add_edge(engine.START, "inside")
    client = engine.compile(builder, cache=engine.cache())
    modes = {"stream_mode": "updates", "subgraphs": True}
    seen = [client.stream({"n": 1}, thread(name), **modes) for name in "xy"]
    return [[(len(ns), chunk) for ns, chunk in chunks] for chunks in seen]


def case_a_graph_inside_has_a_cache_of_its_own(engine: Engine) -> Any:
    return [_inside(engine, cache=engine.cache()), _inside(engine)]


def case_a_failure_and_a_question_are_not_kept(engine: Engine) -> Any:
    def ask(state: Total) -> Any:
        return {"xs": [engine.interrupt("?")]}

    builder = engine.StateGraph(Total)
    builder.add_node("a", ask, cache_policy=policy(engine)).add_edge(engine.START, "a")
    client = engine.compile(builder, cache=engine.cache())
    client.invoke({"n": 1}, thread("x"))
    client.invoke({"n": 1}, thread("y"))
    seen = [client.invoke(engine.Command(resume=name), thread(name)) for name in "xy"]
    return [*seen, client.invoke({"n": 1}, thread("z"))]


def case_graphs_of_channels_have_policies(engine: Engine) -> Any:
    node = engine.NodeBuilder().subscribe_only("in").do(partial(operator.add, 1)).write_to("out")
    node.add_cache_policy(policy(engine))

    class Parts:
        def compile(self, **given: Any) -> Any:
            channels = {name: engine.LastValue(int) for name in ("in", "out")}
            places = {"input_channels": "in", "output_channels": "out"}
            return engine.Pregel(nodes={"n": node}, channels=channels, **places, **given)

    client = engine.compile(Parts(), cache=engine.cache())
    return [
        client.stream(n, thread(str(i)), stream_mode="updates") for i, n in enumerate((1, 1, 2))
    ]


def case_what_clears_a_cache_needs_one(engine: Engine) -> Any:
    builder = engine.StateGraph(Total).add_node("a", double).add_edge(engine.START, "a")
    return kind(builder.compile().clear_cache)
