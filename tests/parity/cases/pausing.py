"""Questions and static breakpoints in graphs inside nodes, beside siblings that do otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.parity.cases.common import add
from tests.parity.cases.failing import called
from tests.parity.cases.interrupts import asking
from tests.parity.cases.leaving import around, line, side_by_side
from tests.parity.engines import Client, Engine
from tests.parity.nesting import frames
from tests.parity.observe import invoked, state, thread, waiting

STOPS: tuple[dict[str, list[str]], ...] = (
    {"interrupt_before": ["two"]},
    {"interrupt_after": ["one"]},
    {"interrupt_before": ["one", "two"], "interrupt_after": ["two"]},
)


def run(client: Client, *given: Any) -> list[Any]:
    """Each call and the state after it, then the history of all frames."""
    made = [[invoked(client, each), state(client.get_state(thread()))] for each in given]
    return [made, frames(client, thread())]


def answered(engine: Engine, client: Client, *which: int) -> Any:
    """The answers by id to those of the questions that wait."""
    asked = waiting(client.get_state(thread()))
    chosen = [asked[place] for place in which] if which else asked
    return engine.Command(resume={one.id: f"re {one.value}" for one in chosen})


def two(engine: Engine, **options: Any) -> Any:
    """A graph of two nodes."""
    return line(engine, one=add("one"), two=add("two")).compile(**options)


def deeper(engine: Engine, graph: Any, levels: int, lasts: Any = None) -> Any:
    """`graph` in so many graphs, in turns as a node and called by one."""
    for level in range(levels):
        node = called(engine, graph) if level % 2 else graph
        graph = line(engine, deep=node, after=add(level)).compile(checkpointer=lasts)
    return graph


def case_a_stop_at_any_depth_is_released_by_one_call(engine: Engine) -> Any:
    seen = []
    for stops in STOPS:
        for levels in (0, 1, 2):
            graph = deeper(engine, two(engine, **stops), levels)
            client = engine.compile(around(engine, "sub", sub=graph))
            seen.append(run(client, {"xs": ["in"]}, None, None, None, None))
    return seen


def case_a_stop_in_a_graph_that_lasts(engine: Engine) -> Any:
    seen = []
    for levels in (0, 1):
        inside = two(engine, interrupt_before=["two"], checkpointer=True)
        client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, levels, True)))
        seen.append(run(client, {"xs": ["in"]}, None, {"xs": ["again"]}, None))
    return seen


def case_stops_at_several_levels_are_come_to_one_by_one(engine: Engine) -> Any:
    inside = two(engine, interrupt_before=["two"])
    middle = line(engine, deep=inside, end=add("end")).compile(interrupt_before=["end"])
    builder = around(engine, "sub", sub=middle, last=add("last")).add_edge("sub", "last")
    client = engine.compile(builder, interrupt_before=["sub", "last"])
    return run(client, {"xs": ["in"]}, None, None, None, None)


def case_a_stop_inside_beside_siblings(engine: Engine) -> Any:
    seen = []
    for sibling in ({"done": add("done")}, {"other": two(engine, interrupt_before=["two"])}):
        nodes = {"sub": two(engine, interrupt_before=["two"]), **sibling}
        client = engine.compile(around(engine, *nodes, **nodes))
        seen.append(run(client, {"xs": ["in"]}, None))
    return seen


def case_a_stop_and_a_question_inside_one_graph(engine: Engine) -> Any:
    nodes = {"sub": two(engine, interrupt_before=["two"]), "asks": asking(engine, "q")}
    middle = side_by_side(engine, **nodes).compile()
    client = engine.compile(around(engine, "mid", mid=middle))
    return run(client, {"xs": ["in"]}, engine.Command(resume="yes"))


def case_a_question_at_any_depth(engine: Engine) -> Any:
    seen = []
    for levels in (0, 1, 2):
        for lasts in (None, True):
            inside = line(engine, one=add("one"), asks=asking(engine, "q")).compile(
                checkpointer=lasts
            )
            graph = deeper(engine, inside, levels, lasts)
            client = engine.compile(around(engine, "sub", sub=graph))
            answer = engine.Command(resume="yes")
            seen.append(run(client, {"xs": ["in"]}, None, answer, {"xs": ["b"]}, answer))
    return seen


def case_questions_of_several_graphs_are_answered_in_parts(engine: Engine) -> Any:
    seen = []
    for order in ((0, 1, 2), (2, 0, 1)):
        nodes = {
            name: line(engine, one=add("one"), asks=asking(engine, name), end=add("end")).compile()
            for name in ("a", "b", "c")
        }
        client = engine.compile(around(engine, *nodes, **nodes, done=add("done")))
        made = [invoked(client, {"xs": ["in"]})]
        names = "abc"
        for place in order:
            asked = {one.value: one.id for one in waiting(client.get_state(thread()))}
            answer = engine.Command(resume={asked[names[place]]: f"re {names[place]}"})
            made += [invoked(client, answer), state(client.get_state(thread()))]
        seen.append([made, frames(client, thread())])
    return seen


def case_all_questions_are_answered_at_once(engine: Engine) -> Any:
    inside = line(engine, asks=asking(engine, "deep")).compile()
    nodes = {"a": deeper(engine, inside, 1), "b": asking(engine, "flat"), "done": add("done")}
    client = engine.compile(around(engine, *nodes, **nodes))
    first = run(client, {"xs": ["in"]})
    return [first, run(client, answered(engine, client))]


def case_packets_to_a_graph_ask(engine: Engine) -> Any:
    def fan(state: Any) -> Any:
        return [engine.Send("sub", {"total": number}) for number in (1, 2, 3)]

    def asks(state: Any) -> Any:
        number = state["total"]
        return {"xs": [engine.interrupt(number)] if number != 2 else [number]}

    builder = around(engine, sub=line(engine, asks=asks).compile())
    client = engine.compile(builder.add_conditional_edges(engine.START, fan, ["sub"]))
    made = run(client, {"xs": ["in"]})
    half = run(client, answered(engine, client, 1))
    return [made, half, run(client, answered(engine, client))]


def case_a_question_beside_a_sibling_that_fails(engine: Engine) -> Any:
    ran: Counter[str] = Counter()

    def fails(state: Any) -> Any:
        ran["fails"] += 1
        if ran["fails"] < 2:
            raise ValueError("no")
        return {"xs": ["fails"]}

    inside = line(engine, first=add("first"), asks=asking(engine, "q")).compile()
    nodes = {"sub": inside, "fails": fails}
    client = engine.compile(around(engine, *nodes, **nodes))
    made = [invoked(client, {"xs": ["in"]}), invoked(client, None)]
    made.append(run(client, engine.Command(resume="yes")))
    return [made, dict(ran)]


def case_several_calls_that_ask_one_after_the_other(engine: Engine) -> Any:
    ran: list[str] = []

    def first(state: Any) -> Any:
        ran.append(f"first{state.get('total')}")
        return {"xs": ["first"]}

    inside = line(engine, first=first, asks=asking(engine, "q")).compile()
    client = engine.compile(around(engine, "sub", sub=called(engine, inside, 2)))
    answers = [engine.Command(resume=answer) for answer in ("r1", "r2")]
    return [run(client, {"xs": ["in"]}, *answers), ran]


def case_a_node_asks_before_and_after_its_graph_asks(engine: Engine) -> Any:
    inside = line(engine, asks=asking(engine, "inside")).compile()
    call = called(engine, inside)
    # There a graph is seen that the node itself refers to, here also one that its helper calls.
    seen = inside

    async def node_async(state: Any) -> Any:
        before = engine.interrupt("before")
        found = seen and await call(state)
        return {"xs": [before, found["xs"], engine.interrupt("after")]}

    def node_sync(state: Any) -> Any:
        before = engine.interrupt("before")
        return {"xs": [before, (seen and call(state))["xs"], engine.interrupt("after")]}

    node = node_async if engine.asynchronous else node_sync
    client = engine.compile(around(engine, "sub", sub=node))
    answers = [engine.Command(resume=answer) for answer in ("r1", "r2", "r3")]
    return run(client, {"xs": ["in"]}, *answers)


def case_an_answer_comes_with_an_update_and_a_goto(engine: Engine) -> Any:
    inside = line(engine, asks=asking(engine, "q")).compile()
    builder = around(engine, "sub", sub=inside, beside=add("beside"))
    client = engine.compile(builder)
    answer = engine.Command(resume="yes", update={"xs": ["upd"]}, goto="beside")
    return run(client, {"xs": ["in"]}, answer)


def case_a_new_input_while_a_graph_inside_asks(engine: Engine) -> Any:
    seen = []
    for lasts in (None, True):
        inside = line(engine, one=add("one"), asks=asking(engine, "q")).compile(checkpointer=lasts)
        client = engine.compile(around(engine, "sub", sub=inside))
        answer = engine.Command(resume="yes")
        seen.append(run(client, {"xs": ["in"]}, {"xs": ["anew"]}, answer))
    return seen


def case_stops_of_a_call_count_in_the_graph_that_is_called(engine: Engine) -> Any:
    builder = around(engine, "sub", sub=two(engine), two=add("outer")).add_edge("sub", "two")
    client = engine.compile(builder)
    made = [invoked(client, {"xs": ["in"]}, interrupt_before=["two"])]
    return [made, run(client, None)]
