"""State keys of which nothing is stored: managed values, and untracked ones."""

from __future__ import annotations

import operator
from dataclasses import make_dataclass
from functools import partial
from typing import Annotated, Any

from tests.parity.cases.waiting import observed, schema
from tests.parity.engines import Client, Engine
from tests.parity.observe import history, kind, state, thread


def limited(steps: int) -> dict[str, Any]:
    return {**thread(), "recursion_limit": steps}


def counted(engine: Engine) -> Any:
    """Nodes in a circle, which ends by the last step that the limit allows."""

    state_schema = schema(
        seen=Annotated[list[Any], operator.add], left=engine.RemainingSteps, last=engine.IsLastStep
    )

    def note(given: Any) -> Any:
        return {"seen": [[given["left"], given["last"]]]}

    def ends(given: Any) -> str:
        return str(engine.END) if given["last"] else "note"

    builder = engine.StateGraph(state_schema)
    builder.add_node("note", note)
    builder.add_edge(engine.START, "note")
    builder.add_conditional_edges("note", ends, ["note", engine.END])
    return builder


def case_nodes_and_paths_know_how_many_steps_are_left(engine: Engine) -> Any:
    client = engine.compile(counted(engine))
    seen = [client.invoke({}, limited(steps)) for steps in (5, 3)]
    return [*seen, state(client.get_state(thread())), history(client.history(thread()))]


def case_an_update_of_steps_that_are_left_says_nothing(engine: Engine) -> Any:
    client = engine.compile(counted(engine))
    return client.invoke({"left": 7, "last": True}, limited(3))


def case_a_graph_inside_counts_its_own_steps(engine: Engine) -> Any:
    state_schema = schema(seen=Annotated[list[Any], operator.add], left=engine.RemainingSteps)

    def note(given: Any) -> Any:
        return {"seen": [given["left"]]}

    builder = engine.StateGraph(state_schema)
    builder.add_node("before", note).add_node("inside", counted(engine).compile())
    builder.add_node("after", note)
    builder.add_edge(engine.START, "before").add_edge("before", "inside")
    builder.add_edge("inside", "after")
    return engine.compile(builder).invoke({}, limited(9))


def case_schemas_that_are_classes_have_steps_too(engine: Engine) -> Any:
    fields = [("seen", Annotated[list[Any], operator.add]), ("left", engine.RemainingSteps)]
    state_schema = make_dataclass("State", fields)

    builder = engine.StateGraph(state_schema)
    builder.add_node("note", lambda given: {"seen": [given.left]})
    builder.add_edge(engine.START, "note")
    return engine.compile(builder).invoke({"seen": []}, limited(4))


def case_going_on_counts_anew(engine: Engine) -> Any:
    state_schema = schema(seen=Annotated[list[Any], operator.add], left=engine.RemainingSteps)

    def ask(given: Any) -> Any:
        return {"seen": [given["left"], engine.interrupt("?")]}

    builder = engine.StateGraph(state_schema)
    builder.add_node("one", ask).add_node("two", ask)
    builder.add_edge(engine.START, "one").add_edge("one", "two")
    client = engine.compile(builder)
    client.invoke({}, limited(8))
    client.invoke(engine.Command(resume=1), limited(6))
    return client.invoke(engine.Command(resume=2), limited(5))


def untracked(engine: Engine, guard: bool = True) -> Client:
    """`one` writes the untracked key, and `two` tells whether it was there."""

    state_schema = schema(
        secret=Annotated[Any, engine.UntrackedValue(object, guard)],
        seen=Annotated[list[Any], operator.add],
    )

    def asked(given: Any) -> Any:
        return {"seen": ["secret" in given, engine.interrupt("?")]}

    builder = engine.StateGraph(state_schema)
    builder.add_node("one", lambda _: {"secret": 1, "seen": ["one"]})
    builder.add_node("two", asked)
    builder.add_edge(engine.START, "one").add_edge("one", "two")
    return engine.compile(builder)


def case_an_untracked_value_is_gone_after_a_pause(engine: Engine) -> Any:
    client = untracked(engine)
    client.invoke({}, thread())
    stood = state(client.get_state(thread()))
    client.invoke(engine.Command(resume=1), thread())
    return [stood["values"], state(client.get_state(thread()))["values"]["seen"][1:]]


def case_an_untracked_value_lasts_in_a_run(engine: Engine) -> Any:
    state_schema = schema(
        secret=Annotated[Any, engine.UntrackedValue], seen=Annotated[list[Any], operator.add]
    )

    def see(given: Any) -> Any:
        return {"seen": [given.get("secret")]}

    def send(given: Any) -> Any:
        return engine.Send("sent", {"secret": "sent", "seen": given["seen"]})

    builder = engine.StateGraph(state_schema)
    builder.add_node("one", see).add_node("two", see).add_node("sent", see)
    builder.add_edge(engine.START, "one").add_edge("one", "two")
    builder.add_conditional_edges("two", send, ["sent"])
    client = engine.compile(builder)
    return observed(client, {"secret": 1}, {})


def case_an_untracked_value_takes_one_write_per_superstep(engine: Engine) -> Any:
    seen = []
    for guard in (True, False):
        state_schema = schema(secret=Annotated[Any, engine.UntrackedValue(object, guard)])

        builder = engine.StateGraph(state_schema)
        for name in "ab":
            builder.add_node(name, lambda _: {"secret": 1})
            builder.add_edge(engine.START, name)
        seen.append(kind(partial(builder.compile().invoke, {})))
    return seen
