"""What runs together, what it sees, how its writes are applied, when a run is over."""

from __future__ import annotations

import itertools
from typing import Any

from tests.parity.cases.common import Log, add, chain, compiled_chain, fan
from tests.parity.engines import Engine
from tests.parity.observe import everything, invoked, kind, shown, thread


def case_parallel_writes_are_applied_in_the_order_of_names(engine: Engine) -> Any:
    client = engine.compile(fan(engine, c=add("c"), a=add("a"), b=add("b")))
    return [shown(client.invoke({"xs": ["in"]}, thread())), everything(client, thread())]


def case_two_edges_into_a_node_start_it_once(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("c", add("c"))
    builder.add_edge("a", "c").add_edge("b", "c")
    return shown(engine.compile(builder).invoke({}, thread()))


def case_a_join_waits_for_all_its_sources(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("b2", add("b2"))
    builder.add_node("d", add("d"))
    builder.add_edge("b", "b2").add_edge(["a", "b2"], "d")
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_a_join_is_reset_after_it_fired(engine: Engine) -> Any:
    builder = fan(engine, a=add("a"), b=add("b")).add_node("d", add("d"))
    builder.add_edge(["a", "b"], "d")

    def path(state: Any) -> Any:
        return ["a", "b"] if state["xs"].count("d") < 3 else engine.END

    builder.add_conditional_edges("d", path)
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_a_join_that_is_never_complete_does_not_fire(engine: Engine) -> Any:
    builder = fan(engine, a=add("a")).add_node("b", add("b")).add_node("d", add("d"))
    builder.add_edge(["a", "b"], "d")
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_half_a_join_is_remembered_until_the_next_input(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("a", add("a")).add_node("b", add("b"))
    builder.add_node("d", add("d")).add_edge(["a", "b"], "d")
    builder.add_conditional_edges(engine.START, lambda state: state["one"])
    client = engine.compile(builder)
    return [shown(client.invoke({"one": name}, thread())) for name in ("a", "b", "a", "a", "b")]


def case_a_cycle_ends_by_its_condition(engine: Engine) -> Any:
    builder = chain(engine, "a", "b")
    builder.add_conditional_edges(
        "b", lambda state: "a" if len(state["xs"]) < 6 else engine.END, ["a", engine.END]
    )
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_send_fan_out_keeps_the_order_of_the_sends(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("w", lambda packet: {"xs": [packet["n"]]})
    builder.add_conditional_edges(
        engine.START, lambda _: [engine.Send("w", {"n": n}) for n in (3, 1, 2)], ["w"]
    )
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_names_are_applied_before_sends(engine: Engine) -> Any:
    builder = chain(engine, "a").add_node("z", add("z"))
    builder.add_node("w", lambda packet: {"xs": [packet]})
    builder.add_conditional_edges(
        "a", lambda _: [engine.Send("w", "w1"), "z", engine.Send("w", "w2")]
    )
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_a_send_may_carry_anything(engine: Engine) -> Any:
    packets = [None, 1, "text", [1, 2], {"deep": {"er": [None]}}, (1, 2)]
    builder = engine.StateGraph(Log).add_node("w", lambda packet: {"xs": [repr(packet)]})
    builder.add_conditional_edges(
        engine.START, lambda _: [engine.Send("w", packet) for packet in packets], ["w"]
    )
    return shown(engine.compile(builder).invoke({}, thread()))


def case_sends_from_nodes_that_were_sent_to(engine: Engine) -> Any:
    def node(packet: Any) -> Any:
        deeper = [engine.Send("w", {"n": packet["n"] * 10 + place}) for place in (1, 2)]
        return engine.Command(update={"xs": [packet["n"]]}, goto=deeper if packet["n"] < 9 else [])

    builder = engine.StateGraph(Log).add_node("w", node)
    builder.add_conditional_edges(engine.START, lambda _: [engine.Send("w", {"n": 1})], ["w"])
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_command_updates_and_goes(engine: Engine) -> Any:
    results = []
    for goto in ("b", ["b", "c"], [], "__end__", ["c", "c"]):
        command = engine.Command(update={"xs": ["a"]}, goto=goto)
        builder = chain(engine, "a", a=lambda _, command=command: command)
        builder.add_node("b", add("b")).add_node("c", add("c"))
        client = engine.compile(builder)
        results.append([shown(client.invoke({}, thread())), everything(client, thread())])
    return results


def case_a_list_of_commands_and_dicts_writes_one_after_the_other(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        return [
            engine.Command(update={"xs": ["1"]}, goto="b"),
            {"xs": ["2"]},
            engine.Command(update=[("xs", ["3"]), ("one", 1)]),
        ]

    builder = chain(engine, "a", a=node).add_node("b", add("b"))
    client = engine.compile(builder)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_edges_and_goto_both_count(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", a=lambda _: engine.Command(goto="c"))
    builder.add_node("c", add("c"))
    return shown(engine.compile(builder).invoke({}, thread()))


def case_edges_to_both_targets_of_a_goto_run_both(engine: Engine) -> Any:
    builder = chain(engine, "a", a=lambda _: engine.Command(goto="yes"))
    builder.add_node("yes", lambda _: {"one": "yes"}).add_node("no", lambda _: {"one": "no"})
    client = engine.compile(builder.add_edge("a", "yes").add_edge("a", "no"))
    return invoked(client, {})


def case_two_writers_of_a_single_value_conflict(engine: Engine) -> Any:
    builder = fan(engine, a=lambda _: {"one": 1}, b=lambda _: {"one": 2})
    client = engine.compile(builder)
    return [invoked(client, {}) for _ in range(2)]


def case_the_same_node_twice_conflicts_too(engine: Engine) -> Any:
    builder = chain(engine, "a", a=lambda _: [{"one": 1}, engine.Command(update={"one": 2})])
    return invoked(engine.compile(builder), {})


def case_overwrite_replaces_what_a_reducer_holds(engine: Engine) -> Any:
    results = []
    for value in (
        engine.Overwrite(["new"]),
        {"__overwrite__": ["new"]},
        {"type": "__overwrite__", "value": ["new"]},
    ):
        builder = fan(engine, a=add("a"), b=lambda _, v=value: {"xs": v}, c=add("c"))
        client = engine.compile(builder)
        results.append(shown(client.invoke({"xs": ["in"]}, thread())))
    return results


def case_two_overwrites_in_a_superstep_conflict(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        return {"xs": engine.Overwrite([1])}

    client = engine.compile(fan(engine, a=node, b=node))
    return invoked(client, {})


def case_a_node_that_returns_none_writes_nothing(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", a=lambda _: None)
    return [shown(client.invoke({}, thread())), everything(client, thread())]


def case_a_chain_needs_one_superstep_more_than_its_nodes(engine: Engine) -> Any:
    results = []
    for limit in (3, 4):
        client = compiled_chain(engine, "a", "b", "c")
        config = thread("t", recursion_limit=limit)
        results.append([invoked(client, {}, config), everything(client, thread())])
    return results


def case_the_recursion_limit_counts_per_run(engine: Engine) -> Any:
    client = compiled_chain(engine, *"abcdef")
    config = thread("t", recursion_limit=3)
    given: tuple[Any, ...] = ({}, None, None, None)
    calls = [invoked(client, one, config) for one in given]
    return [calls, everything(client, thread())]


def case_a_recursion_limit_below_one_is_refused(engine: Engine) -> Any:
    client = compiled_chain(engine, "a")
    return kind(lambda: client.invoke({}, thread("t", recursion_limit=0)))


def case_a_failed_node_keeps_its_siblings_writes(engine: Engine) -> Any:
    runs = itertools.count()

    def bad(state: Any) -> Any:
        if next(runs) == 0:
            raise ValueError("no")
        return {"xs": ["bad"]}

    ran: list[str] = []

    def ok(state: Any) -> Any:
        ran.append("ok")
        return {"xs": ["ok"]}

    client = engine.compile(
        chain(engine, "first", "ok", ok=ok).add_node("bad", bad).add_edge("first", "bad")
    )
    calls = [invoked(client, {})]
    # The reference may let a sibling go that had not begun, so its state is compared
    # only after the superstep is finished.
    calls.append(invoked(client, None))
    return [calls, everything(client, thread())]


def case_a_new_input_discards_a_failed_superstep(engine: Engine) -> Any:
    def bad(state: Any) -> Any:
        if "fine" not in state["xs"]:
            raise KeyError("fine")
        return {"xs": ["bad"]}

    client = compiled_chain(engine, "a", "b", b=bad)
    calls = [invoked(client, g) for g in ({"xs": ["x"]}, {"xs": ["fine"]})]
    return [calls, everything(client, thread())]


class OddError(Exception):
    """An error of the program's own, with two arguments."""


def case_errors_reach_the_caller_unchanged(engine: Engine) -> Any:
    def raising(error: BaseException) -> Any:
        def node(state: Any) -> Any:
            raise error

        return node

    errors = (ValueError("v"), OddError("o", 2), KeyError("k"), ZeroDivisionError())
    clients = [compiled_chain(engine, "a", a=raising(error)) for error in errors]
    return [invoked(c, {}) for c in clients]


def case_a_retry_policy_runs_a_node_again(engine: Engine) -> Any:
    results = []
    for error, attempts, retry_on in (
        (ConnectionError("c"), 3, None),
        (ConnectionError("c"), 2, None),
        (ValueError("v"), 3, None),
        (ValueError("v"), 3, ValueError),
        (ValueError("v"), 3, (KeyError, ValueError)),
        (ValueError("v"), 3, lambda exc: "v" in str(exc)),
    ):
        runs = itertools.count(1)

        def node(state: Any, runs: Any = runs, error: Exception = error) -> Any:
            run = next(runs)
            if run < 3:
                raise error
            return {"xs": [run]}

        extra = {} if retry_on is None else {"retry_on": retry_on}
        policy = engine.RetryPolicy(
            initial_interval=0.001, jitter=False, max_attempts=attempts, **extra
        )
        builder = engine.StateGraph(Log).add_node("n", node, retry_policy=policy)
        client = engine.compile(builder.add_edge(engine.START, "n"))
        results.append(invoked(client, {}))
    return results
