"""Questions that nodes ask, and the answers that let them go on."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from tests.parity.cases.common import Log, add, chain, compiled_chain, fan
from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, invoked, kind, shown, thread, waiting


def asking(engine: Engine, *questions: Any) -> Any:
    """A node that asks `questions` and appends the answers."""

    def node(state: Any) -> Any:
        return {"xs": [engine.interrupt(question) for question in questions]}

    return node


def calls(client: Client, *given: Any) -> list[Any]:
    """The outcome of each call, and the whole thread after each."""
    return [[invoked(client, one), everything(client, thread())] for one in given]


def case_one_question_and_its_answer(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, {"q": 1}))
    return calls(client, {"xs": ["in"]}, engine.Command(resume={"plain": "dict"}))


def case_falsy_answers(engine: Engine) -> Any:
    results = []
    # An empty dict is left out: the reference takes it for answers by id.
    answers: tuple[Any, ...] = (False, 0, "", [])
    for answer in answers:
        client = compiled_chain(engine, "a", a=asking(engine, "q"))
        results.append(calls(client, {}, engine.Command(resume=answer)))
    return results


def case_several_questions_are_answered_by_their_order(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", a=asking(engine, "q1", "q2", "q3"))
    return calls(client, {}, *(engine.Command(resume=answer) for answer in ("r1", "r2", "r3")))


def case_a_loop_asks_until_the_answer_is_valid(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        prompt = "age?"
        while True:
            answer = engine.interrupt(prompt)
            if isinstance(answer, int):
                return {"xs": [answer]}
            prompt = f"{answer!r} is no age"

    client = compiled_chain(engine, "a", a=node)
    return calls(client, {}, *(engine.Command(resume=answer) for answer in ("x", "y", 30)))


def case_a_finished_sibling_is_not_run_again(engine: Engine) -> Any:
    ran: list[str] = []

    def sibling(state: Any) -> Any:
        ran.append("c")
        return {"xs": ["c"]}

    builder = chain(engine, "a", "b", b=asking(engine, {"q": 1}, "second"))
    builder.add_node("c", sibling).add_edge("a", "c")
    client = engine.compile(builder)
    seen = calls(client, {"xs": ["in"]}, engine.Command(resume="r1"), engine.Command(resume="r2"))
    return [seen, ran]


def _answer_all(engine: Engine, client: Client) -> Any:
    pending = waiting(client.get_state(thread()))
    return engine.Command(resume={one.id: f"re {one.value}" for one in pending})


def case_parallel_questions_are_answered_by_id(engine: Engine) -> Any:
    builder = fan(engine, a=asking(engine, "qa"), b=asking(engine, "qb"), c=add("c"))
    client = engine.compile(builder)
    seen = calls(client, {})
    return [seen, calls(client, _answer_all(engine, client))]


def case_parallel_questions_are_answered_one_by_one(engine: Engine) -> Any:
    builder = fan(engine, a=asking(engine, "qa"), b=asking(engine, "qb"))
    client = engine.compile(builder)
    seen = calls(client, {})
    for _ in range(2):
        first = waiting(client.get_state(thread()))[0]
        seen += calls(client, engine.Command(resume={first.id: f"re {first.value}"}))
    return seen


def case_the_last_of_parallel_questions_may_be_answered_bare(engine: Engine) -> Any:
    builder = fan(engine, a=asking(engine, "qa"), b=asking(engine, "qb"))
    client = engine.compile(builder)
    seen = calls(client, {})
    last = waiting(client.get_state(thread()))[1]
    return [
        *seen,
        calls(client, engine.Command(resume={last.id: "rb"}), engine.Command(resume="ra")),
    ]


def case_a_bare_answer_to_several_questions_is_refused(engine: Engine) -> Any:
    client = engine.compile(fan(engine, a=asking(engine, "qa"), b=asking(engine, "qb")))
    client.invoke({}, thread())
    # The type: the reference raises RuntimeError with a text of its own pages.
    seen = kind(lambda: client.invoke(engine.Command(resume="r"), thread()))
    return ["error" in seen, everything(client, thread())]


def case_sends_of_one_node_ask_each_for_itself(engine: Engine) -> Any:
    def node(packet: Any) -> Any:
        return {"xs": [[packet, engine.interrupt(f"q{packet}")]]}

    builder = engine.StateGraph(Log).add_node("w", node)
    builder.add_conditional_edges(
        engine.START, lambda _: [engine.Send("w", n) for n in (2, 1)], ["w"]
    )
    client = engine.compile(builder)
    return [calls(client, {}), calls(client, _answer_all(engine, client))]


def case_an_answer_may_carry_an_update_and_a_goto(engine: Engine) -> Any:
    results = []
    for extra in (
        {"update": {"xs": ["u"], "one": 1}},
        {"goto": "z"},
        {"update": {"xs": ["u"]}, "goto": ["z"]},
    ):
        builder = chain(engine, "a", "b", a=asking(engine, "q")).add_node("z", add("z"))
        client = engine.compile(builder)
        results.append(calls(client, {}, engine.Command(resume="r", **extra)))
    return results


def case_the_node_sees_the_update_that_came_with_the_answer(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        answer = engine.interrupt(state.get("one"))
        return {"xs": [state.get("one"), answer]}

    client = compiled_chain(engine, "a", a=node)
    return calls(client, {"one": "old"}, engine.Command(update={"one": "new"}, resume="r"))


def case_a_question_decides_where_to_go(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        return engine.Command(goto="yes" if engine.interrupt("?") else "no")

    results = []
    for answer in (True, False):
        builder = chain(engine, "a", a=node).add_node("yes", add("yes")).add_node("no", add("no"))
        client = engine.compile(builder)
        results.append(calls(client, {}, engine.Command(resume=answer)))
    return results


def case_no_input_asks_the_question_again(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", a=asking(engine, "q"))
    return calls(client, {}, None, None, engine.Command(resume="r"))


def case_a_new_input_starts_anew_while_a_question_waits(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    return calls(client, {"xs": ["1"]}, {"xs": ["2"]}, engine.Command(resume="r"))


def case_an_update_while_a_question_waits(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
    seen = calls(client, {})
    client.update_state(thread(), {"xs": ["edited"]})
    return [*seen, everything(client, thread()), calls(client, None, engine.Command(resume="r"))]


def case_an_update_in_place_of_the_asking_node(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", "c", b=asking(engine, "q"))
    seen = calls(client, {})
    client.update_state(thread(), {"xs": ["instead"]}, as_node="b")
    return [*seen, everything(client, thread()), calls(client, None)]


def case_a_failure_after_an_answer_keeps_the_answer(engine: Engine) -> Any:
    failed: list[int] = []

    def node(state: Any) -> Any:
        answer = engine.interrupt("q")
        if not failed:
            failed.append(1)
            raise ValueError("after")
        return {"xs": [answer]}

    client = compiled_chain(engine, "a", a=node)
    given: tuple[Any, ...] = ({}, engine.Command(resume="r"), None)
    outcomes = [invoked(client, one) for one in given]
    return [outcomes, everything(client, thread())]


def case_questions_in_a_cycle(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", b=asking(engine, "more?"))
    builder.add_conditional_edges(
        "b", lambda state: "a" if state["xs"][-1] == "yes" else engine.END
    )
    client = engine.compile(builder)
    answers = ("yes", "yes", "no")
    return calls(client, {}, *(engine.Command(resume=answer) for answer in answers))


def case_an_answer_without_a_saver_is_refused(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a"), saved=False)
    return kind(lambda: client.invoke(engine.Command(resume="r"), {}))


class Child(TypedDict, total=False):
    xs: Annotated[list[Any], operator.add]


def _child(engine: Engine, *questions: Any) -> Any:
    builder = engine.StateGraph(Child).add_node("inner", asking(engine, *questions))
    return builder.add_edge(engine.START, "inner").compile()


def case_a_graph_called_in_a_node_asks_through_it(engine: Engine) -> Any:
    child = _child(engine, "inner q")

    async def calls_async(state: Any) -> Any:
        return {"xs": ["before", *(await child.ainvoke({"xs": ["c"]}))["xs"]]}

    def calls_sync(state: Any) -> Any:
        return {"xs": ["before", *child.invoke({"xs": ["c"]})["xs"]]}

    node = calls_async if engine.asynchronous else calls_sync
    client = compiled_chain(engine, "a", "b", a=node)
    return calls(client, {}, engine.Command(resume="r"))


def case_a_graph_called_in_a_node_asks_twice(engine: Engine) -> Any:
    child = _child(engine, "inner 1", "inner 2")

    async def calls_async(state: Any) -> Any:
        return {"xs": [engine.interrupt("outer"), *(await child.ainvoke({}))["xs"]]}

    def calls_sync(state: Any) -> Any:
        return {"xs": [engine.interrupt("outer"), *child.invoke({})["xs"]]}

    client = compiled_chain(engine, "a", a=calls_async if engine.asynchronous else calls_sync)
    answers = [engine.Command(resume=answer) for answer in ("r0", "r1", "r2")]
    return [invoked(client, one) for one in ({}, *answers)]


def case_two_graphs_called_in_one_node_ask_one_after_the_other(engine: Engine) -> Any:
    first, second = _child(engine, "q1"), _child(engine, "q2")

    async def calls_async(state: Any) -> Any:
        return {"xs": [(await first.ainvoke({}))["xs"], (await second.ainvoke({}))["xs"]]}

    def calls_sync(state: Any) -> Any:
        return {"xs": [first.invoke({})["xs"], second.invoke({})["xs"]]}

    client = compiled_chain(engine, "a", a=calls_async if engine.asynchronous else calls_sync)
    answers = [engine.Command(resume=answer) for answer in ("r1", "r2")]
    return [invoked(client, one) for one in ({}, *answers)]


def case_a_graph_that_is_a_node_asks_through_its_parent(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "sub", "z", sub=_child(engine, "inner q"))
    given = ({"xs": ["in"]}, engine.Command(resume="r"))
    return [shown(client.invoke(one, thread())) for one in given]
