"""What a run may be given: an input, nothing, a command."""

from __future__ import annotations

from typing import Any

from tests.parity.cases.common import add, chain, compiled_chain
from tests.parity.cases.interrupts import asking, calls
from tests.parity.engines import Engine
from tests.parity.observe import everything, invoked, kind, outcome, thread


def case_an_empty_input_runs_the_graph(engine: Engine) -> Any:
    return calls(compiled_chain(engine, "a", "b"), {})


def case_unknown_keys_of_an_input_are_ignored(engine: Engine) -> Any:
    return calls(compiled_chain(engine, "a"), {"xs": ["in"], "unknown": 1})


def case_inputs_one_after_the_other_on_one_thread(engine: Engine) -> Any:
    return calls(compiled_chain(engine, "a", "b"), {"xs": ["1"]}, {"one": 2}, {})


def case_nothing_on_a_fresh_thread_is_refused(engine: Engine) -> Any:
    return calls(compiled_chain(engine, "a"), None)


def case_nothing_without_a_saver_is_refused(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a"), saved=False)
    return outcome(lambda: client.invoke(None, {}))


def case_nothing_on_a_finished_thread_gives_its_values(engine: Engine) -> Any:
    return calls(compiled_chain(engine, "a"), {"xs": ["in"]}, None, None)


def case_a_command_updates_and_goes_from_outside(engine: Engine) -> Any:
    results = []
    for extra in (
        {"goto": "c", "update": {"xs": ["u"]}},
        {"goto": "b"},
        {"update": {"xs": ["u"]}},
        {"goto": ["a", "c"]},
        {"goto": engine.Send("b", {"packet": 1})},
    ):
        client = compiled_chain(engine, "a", "b", "c")
        results.append(calls(client, {"xs": ["in"]}, engine.Command(**extra)))
    return results


def case_a_goto_from_outside_joins_what_is_pending(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", b=asking(engine, "q")).add_node("z", add("z"))
    client = engine.compile(builder)
    return calls(client, {}, engine.Command(goto="z"), engine.Command(resume="r"))


def case_an_empty_command_is_refused(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    client.invoke({}, thread())
    # The reference trips over a variable of its own that is not set.
    return ["error" in invoked(client, engine.Command()), everything(client, thread())]


def case_a_parent_command_at_the_root_is_refused(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    command = engine.Command(graph=engine.Command.PARENT, update={"xs": ["u"]})
    return calls(client, {}, command)


def case_a_saver_needs_a_thread(engine: Engine) -> Any:
    return kind(lambda: compiled_chain(engine, "a").invoke({}, {}))


def case_thread_ids_are_taken_as_text(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    client.invoke({}, {"configurable": {"thread_id": 7}})
    return everything(client, thread("7"))


def case_a_graph_without_a_saver_remembers_nothing(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a"), saved=False)
    runs = [client.invoke({"xs": ["in"]}) for _ in range(2)]
    return [runs, outcome(lambda: client.get_state(thread()))]


def case_threads_do_not_see_each_other(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    for name in ("1", "2"):
        client.invoke({"xs": [name]}, thread(name))
    return [everything(client, thread(name)) for name in ("1", "2", "3")]


def case_output_keys_select(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", a=lambda _: {"one": 1, "xs": ["a"]})
    return [
        invoked(client, {}, thread(str(keys)), output_keys=keys)
        for keys in ("one", ["xs"], ["xs", "one"])
    ]


def case_the_config_reaches_the_node(engine: Engine) -> Any:
    def node(state: Any, config: RunnableConfig) -> Any:
        mine = {key: config["configurable"][key] for key in ("thread_id", "user")}
        step = config["metadata"]["langgraph_step"]
        return {"xs": [mine, step, config["metadata"]["langgraph_node"], config["tags"]]}

    client = compiled_chain(engine, "a", a=node)
    config = {"configurable": {"thread_id": "t", "user": "u"}, "tags": ["tag"]}
    return invoked(client, {}, config)


RunnableConfig = dict[str, Any]


def case_the_config_of_a_graph_inside_names_its_thread(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    place = {"configurable": {"thread_id": "t", "checkpoint_ns": "a:1"}}
    return [invoked(client, {}, place), everything(client, thread())]
