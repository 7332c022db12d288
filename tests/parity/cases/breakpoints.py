"""Static stops before and after nodes, set at compile time and at call time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.parity.cases.common import Log, add, chain, fan
from tests.parity.cases.interrupts import asking
from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, invoked, thread


def calls(client: Client, *given: Any, **options: Any) -> list[Any]:
    """The outcome of each call with `options`, and the whole thread after each."""
    return [
        [
            invoked(client, one, **options),
            everything(client, thread()),
        ]
        for one in given
    ]


def case_stops_at_compile_time(engine: Engine) -> Any:
    results = []
    for stops in (
        {"interrupt_before": ["b"]},
        {"interrupt_after": ["b"]},
        {"interrupt_before": ["b"], "interrupt_after": ["b", "c"]},
        {"interrupt_before": "*"},
        {"interrupt_after": "*"},
    ):
        client = engine.compile(chain(engine, "a", "b", "c"), **stops)
        results.append(calls(client, {}, *[None] * 5))
    return results


def case_stops_at_call_time(engine: Engine) -> Any:
    results = []
    for stops in ({"interrupt_before": ["a", "c"]}, {"interrupt_after": "*"}):
        client = engine.compile(chain(engine, "a", "b", "c"))
        results.append(calls(client, {}, *[None] * 4, **stops))
    return results


def case_a_call_time_list_replaces_the_compiled_one(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b", "c"), interrupt_before=["b"])
    return calls(client, {}, interrupt_before=["c"]) + calls(client, None, None)


def case_a_stop_without_its_list_at_the_next_call_goes_on(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b", "c"))
    return calls(client, {}, interrupt_before=["b"]) + calls(client, None)


def case_a_stop_before_one_of_several_holds_all_of_them(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("c", add("c")).add_edge("a", "c")
    client = engine.compile(builder, interrupt_before=["b"])
    return calls(client, {}, None)


def case_a_stop_in_a_cycle_fires_each_time(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_conditional_edges(
        "b", lambda state: "a" if len(state["xs"]) < 4 else engine.END
    )
    return calls(engine.compile(builder, interrupt_before=["a"]), {}, None, None)


def case_a_goto_into_a_stopped_node_stops(engine: Engine) -> Any:
    builder = chain(engine, "a", a=lambda _: engine.Command(goto="b"))
    builder.add_node("b", add("b"))
    return calls(engine.compile(builder, interrupt_before=["b"]), {}, None)


def case_sends_to_a_stopped_node_stop(engine: Engine) -> Any:
    builder = chain(engine, "a").add_node("w", lambda packet: {"xs": [packet]})
    builder.add_conditional_edges("a", lambda _: [engine.Send("w", n) for n in (2, 1)], ["w"])
    return calls(engine.compile(builder, interrupt_before=["w"]), {}, None)


def case_an_update_at_a_stop_keeps_what_is_next(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b", "c"), interrupt_before=["b"])
    seen = calls(client, {})
    client.update_state(thread(), {"xs": ["upd"]})
    seen.append(everything(client, thread()))
    client.update_state(thread(), {"xs": ["asb"]}, as_node="b")
    seen.append(everything(client, thread()))
    return [*seen, calls(client, None)]


def case_going_on_from_the_config_of_the_update(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b", "c"), interrupt_before=["b"])
    seen = calls(client, {})
    updated = client.update_state(thread(), {"xs": ["upd"]})
    return [*seen, invoked(client, None, updated), everything(client, thread())]


def case_a_new_input_at_a_stop_starts_anew(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b"), interrupt_before=["b"])
    return calls(client, {"xs": ["1"]}, {"xs": ["2"]}, None)


def case_a_question_behind_a_stop(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", "c", b=asking(engine, "q"))
    client = engine.compile(builder, interrupt_before=["b"], interrupt_after=["b"])
    return calls(client, {}, None, engine.Command(resume="r"), None)


def case_a_stop_is_the_last_chunk_of_a_stream(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b"), interrupt_before=["b"])
    return [
        client.stream({}, thread("1")),
        client.stream(None, thread("1")),
        client.stream({}, thread("2"), stream_mode=["values", "updates"]),
    ]


def update(client: Client, as_node: str | None = None) -> Any:
    """Update the thread at its stop, then go on; what is seen."""
    before = invoked(client, {})
    client.update_state(thread(), {"xs": ["upd"]}, as_node=as_node)
    return [before, everything(client, thread()), invoked(client, None), invoked(client, None)]


def case_an_update_at_a_stop_keeps_the_target_of_a_join(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_node("j", add("j")).add_edge(["a", "b"], "j")
    builder.add_node("z", add("z")).add_edge("j", "z")
    return [
        update(engine.compile(builder, interrupt_before=["j"]), as_node)
        for as_node in (None, "a", "j", "z")
    ]


def case_an_update_at_a_stop_keeps_a_deferred_node(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_node("z", add("z"), defer=True)
    builder.add_edge("a", "z").add_node("y", add("y")).add_edge("z", "y")
    return [
        update(engine.compile(builder, interrupt_before=["z"]), as_node)
        for as_node in (None, "a", "z", "y")
    ]


def case_an_update_before_the_only_node_runs_leaves_it_to_run(engine: Engine) -> Any:
    return update(engine.compile(chain(engine, "a"), interrupt_before=["a"]))


def case_a_new_input_gives_up_the_target_of_a_join(engine: Engine) -> Any:
    builder = chain(engine, "a", "b").add_node("j", add("j")).add_edge(["a", "b"], "j")
    client = engine.compile(builder, interrupt_before=["j"])
    return calls(client, {}, {"xs": ["new"]}, None, None)


def stopping_inside(engine: Engine) -> Callable[[Log], Log]:
    """A node that calls a graph, which stops twice."""
    builder = chain(engine, "x", "y", "z")
    inner = builder.compile(interrupt_before=["y"], interrupt_after=["y"])
    return lambda _: {"xs": inner.invoke({})["xs"]}


def case_an_answer_to_a_sibling_releases_a_stop_inside(engine: Engine) -> Any:
    def asks(_: Log) -> Log:
        return {"xs": [engine.interrupt("first?"), engine.interrupt("second?")]}

    client = engine.compile(fan(engine, calls=stopping_inside(engine), asks=asks))
    return calls(client, {}, *(engine.Command(resume=word) for word in ("one", "two")))


def case_an_answer_releases_a_stop_inside(engine: Engine) -> Any:
    client = engine.compile(fan(engine, calls=stopping_inside(engine)))
    return calls(client, {}, *(engine.Command(resume=word) for word in ("one", "two")))
