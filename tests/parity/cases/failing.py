"""Failures in graphs inside nodes: what the graph around sees, and what runs again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.parity.cases.common import add
from tests.parity.cases.leaving import around, line, side_by_side
from tests.parity.engines import Client, Engine
from tests.parity.nesting import frames
from tests.parity.observe import error, invoked, shown, state, thread


class Ran:
    """Counts what ran, and makes nodes that fail the first `times`."""

    def __init__(self, engine: Engine) -> None:
        self.count: Counter[str] = Counter()
        self.engine = engine

    def node(self, name: str, fails: int = 0, asks: bool = False) -> Callable[[Any], Any]:
        """A node that asks before it fails so many times, then writes its name and its answer."""

        def node(state: Any) -> Any:
            self.count[name] += 1
            answer = [self.engine.interrupt(f"{name}?")] if asks else []
            if self.count[name] <= fails + len(answer):
                raise ConnectionError(name)
            return {"xs": [name, *answer]}

        return node

    def policy(self, attempts: int) -> Any:
        """A policy of so many attempts, without pauses to speak of."""
        return self.engine.RetryPolicy(0.001, max_attempts=attempts, jitter=False)


def run(ran: Ran, client: Client, *given: Any) -> list[Any]:
    """Each call and the state after it with what ran by then, then the history of all frames."""
    made = [_call(ran, client, each) for each in given]
    return [made, frames(client, thread())]


def _call(ran: Ran, client: Client, given: Any) -> list[Any]:
    seen = invoked(client, given)
    return [seen, state(client.get_state(thread())), dict(ran.count)]


def called(engine: Engine, graph: Any, times: int = 1) -> Any:
    """A node function that calls `graph` so many times."""

    async def calls_async(state: Any) -> Any:
        found = [await graph.ainvoke({"total": turn}) for turn in range(times)]
        return {"xs": [each["xs"] for each in found]}

    def calls_sync(state: Any) -> Any:
        found = [graph.invoke({"total": turn}) for turn in range(times)]
        return {"xs": [each["xs"] for each in found]}

    return calls_async if engine.asynchronous else calls_sync


def case_a_failure_carries_a_note_of_each_level(engine: Engine) -> Any:
    def fails(state: Any) -> Any:
        raise ValueError("deep")

    deep = line(engine, one=add("one"), fails=fails).compile()
    middle = line(engine, deep=called(engine, deep)).compile()
    client = engine.compile(around(engine, "sub", sub=middle))
    try:
        client.invoke({"xs": ["in"]}, thread())
    except ValueError as exc:
        during = (note for note in exc.__notes__ if note.startswith("During"))
        return [error(exc), [note.split(" and id")[0] for note in during]]
    return None


def case_going_on_runs_what_failed_inside(engine: Engine) -> Any:
    seen = []
    for form in (None, True):
        for as_node in (True, False):
            ran = Ran(engine)
            deep = line(engine, one=ran.node("one"), two=ran.node("two", fails=2))
            middle = deep.compile(checkpointer=form)
            graph = line(engine, m=middle if as_node else called(engine, middle, 2))
            client = engine.compile(around(engine, "sub", sub=graph.compile(checkpointer=form)))
            seen.append(run(ran, client, {"xs": ["in"]}, None, None))
    return seen


def case_what_keeps_nothing_runs_again_as_a_whole(engine: Engine) -> Any:
    ran = Ran(engine)
    inside = line(engine, one=ran.node("one"), two=ran.node("two", fails=1))
    builder = around(engine, "sub", sub=inside.compile(checkpointer=False))
    client = engine.compile(builder, durability="async")
    return [_call(ran, client, given) for given in ({"xs": ["in"]}, None)]


def case_retries_inside_and_around_multiply(engine: Engine) -> Any:
    """The reference begins a graph anew in each attempt of the node around: only ends compare."""
    seen = []
    for inner, outer, fails in ((3, 1, 2), (1, 3, 2), (2, 2, 3), (2, 2, 4), (3, 2, 5)):
        for as_node in (True, False):
            ran = Ran(engine)
            inside = line(engine, one=ran.node("one"))
            two = ran.node("two", fails=fails)
            inside.add_node("two", two, retry_policy=ran.policy(inner)).add_edge("one", "two")
            graph = inside.compile()
            builder = around(engine)
            node = graph if as_node else called(engine, graph)
            builder.add_node("sub", node, retry_policy=ran.policy(outer))
            client = engine.compile(builder.add_edge(engine.START, "sub"))
            made = [_call(ran, client, given) for given in ({"xs": ["in"]}, None)]
            seen.append([(outcome, at, count["two"]) for outcome, at, count in made])
    return seen


def case_retries_without_a_checkpointer_begin_inside_anew(engine: Engine) -> Any:
    seen = []
    for form in (None, False):
        ran = Ran(engine)
        inside = line(engine, one=ran.node("one"), two=ran.node("two", fails=2))
        builder = around(engine)
        sub = inside.compile(checkpointer=form)
        builder.add_node("sub", sub, retry_policy=ran.policy(3)).add_edge(engine.START, "sub")
        client = engine.compile(builder, saved=False)
        seen.append([shown(client.invoke({"xs": ["in"]})), dict(ran.count)])
    return seen


def case_a_retry_after_calls_takes_their_results_again(engine: Engine) -> Any:
    ran = Ran(engine)
    inside = line(engine, one=ran.node("one")).compile()
    calls, fails = called(engine, inside, 2), ran.node("after", fails=1)

    async def calls_async(state: Any) -> Any:
        return {"xs": [*(await calls(state))["xs"], *fails(state)["xs"]]}

    def calls_sync(state: Any) -> Any:
        return {"xs": [*calls(state)["xs"], *fails(state)["xs"]]}

    builder = around(engine)
    node = calls_async if engine.asynchronous else calls_sync
    builder.add_node("sub", node, retry_policy=ran.policy(2)).add_edge(engine.START, "sub")
    return [invoked(engine.compile(builder), {"xs": ["in"]}), ran.count["after"]]


def case_siblings_inside_that_finished_are_kept(engine: Engine) -> Any:
    ran = Ran(engine)
    nodes = {"bad": ran.node("bad", fails=1), "good": ran.node("good")}
    deep = side_by_side(engine, **nodes).compile()
    sub = line(engine, deep=deep, end=ran.node("end")).compile()
    client = engine.compile(around(engine, "sub", sub=sub))
    first = invoked(client, {"xs": ["in"]})
    return [first, invoked(client, None), ran.count["bad"], ran.count["end"]]


def case_one_of_many_graphs_fails(engine: Engine) -> Any:
    ran = Ran(engine)

    def fan(state: Any) -> Any:
        return [engine.Send("sub", {"total": number}) for number in (1, 2, 3)]

    def second(state: Any) -> Any:
        number = state["total"]
        return ran.node(f"second{number}", fails=int(number == 2))(state)

    inside = line(engine, first=lambda state: ran.node(f"first{state['total']}")(state))
    inside.add_node("second", second).add_edge("first", "second")
    builder = around(engine)
    builder.add_node("sub", inside.compile(), retry_policy=ran.policy(2))
    client = engine.compile(builder.add_conditional_edges(engine.START, fan, ["sub"]))
    return [invoked(client, {"xs": ["in"]}), ran.count["second2"], ran.count["first3"]]


def case_a_failure_after_an_answer_inside(engine: Engine) -> Any:
    ran = Ran(engine)
    inside = line(engine, one=ran.node("one"), two=ran.node("two", fails=1, asks=True))
    client = engine.compile(around(engine, "sub", sub=inside.compile()))
    given = ({"xs": ["in"]}, engine.Command(resume="yes"), None)
    return [[invoked(client, each), dict(ran.count)] for each in given]


def case_what_failed_before_it_was_done_is_told_by_the_history(engine: Engine) -> Any:
    ran = Ran(engine)
    inside = line(engine, one=ran.node("one", fails=2)).compile()
    nodes = {"plain": ran.node("plain", 1), "asks": ran.node("asks", 1, asks=True), "sub": inside}
    builder = around(engine, "plain", **nodes).add_edge("plain", "asks").add_edge("asks", "sub")
    client = engine.compile(builder)
    given = ({"xs": ["in"]}, None, engine.Command(resume="yes"), None, None, None)
    made = [invoked(client, each) for each in given]
    return [made, [_failed(one) for one in client.history(thread())]]


def _failed(snapshot: Any) -> Any:
    """Of each task whether it has failed, what it asked, and what it left."""
    tasks = snapshot.tasks
    return [(t.name, t.error is not None, len(t.interrupts), shown(t.result)) for t in tasks]


def case_a_new_input_after_a_failure_inside_begins_anew(engine: Engine) -> Any:
    seen = []
    for form in (None, True):
        ran = Ran(engine)
        inside = line(engine, one=ran.node("one"), two=ran.node("two", fails=1))
        client = engine.compile(around(engine, "sub", sub=inside.compile(checkpointer=form)))
        seen.append(run(ran, client, {"xs": ["in"]}, {"xs": ["again"]}))
    return seen


def case_steps_are_counted_in_each_graph(engine: Engine) -> Any:
    seen = []
    for limit in (3, 4, 5):
        inside = line(engine, **{name: add(name) for name in ("i", "j", "k")}).compile()
        builder = around(engine, "a", a=add("a"), sub=inside).add_edge("a", "sub")
        client = engine.compile(builder)
        config = thread(recursion_limit=limit)
        seen.append([invoked(client, {"xs": ["in"]}, config), frames(client, thread())])
    return seen


def case_a_graph_without_an_end_inside_is_stopped(engine: Engine) -> Any:
    def path(state: Any) -> str:
        return "loop"

    inside = line(engine, loop=add("l")).add_conditional_edges("loop", path, ["loop"]).compile()
    client = engine.compile(around(engine, "sub", sub=inside))
    return invoked(client, {"xs": ["in"]}, thread(recursion_limit=6))


def case_writes_inside_that_do_not_go_together(engine: Engine) -> Any:
    def sets(state: Any) -> Any:
        return {"one": 1}

    inside = side_by_side(engine, a=sets, b=sets).compile()
    client = engine.compile(around(engine, "sub", sub=inside))
    return [invoked(client, {"xs": ["in"]}), state(client.get_state(thread()))]
