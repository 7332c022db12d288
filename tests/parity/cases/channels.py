"""Graphs made of nodes and channels, without a state schema and edges."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.parity.engines import Client, Engine
from tests.parity.observe import everything, history, invoked, kind, outcome, state, thread

MODES = ["values", "updates", "tasks"]


@dataclass(frozen=True)
class Parts:
    """What a graph is made of, made when it is known what stores it."""

    engine: Engine
    nodes: Mapping[str, Any]
    channels: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    def compile(self, **given: Any) -> Any:
        return self.engine.Pregel(nodes=self.nodes, channels=self.channels, **self.options, **given)


def increase(x: int) -> int:
    return x + 1


def tenfold(x: int) -> int:
    return x * 10


def total(given: dict[str, int]) -> int:
    return sum(given.values())


def fail(x: int) -> int:
    raise ValueError("no")


def integers(engine: Engine, names: str) -> dict[str, Any]:
    return {name: engine.LastValue(int) for name in names.split()}


def made(engine: Engine, nodes: Mapping[str, Any], channels: Any, **options: Any) -> Client:
    if isinstance(channels, str):
        channels = integers(engine, channels)
    return engine.compile(Parts(engine, nodes, channels, options))


def chain(engine: Engine, **options: Any) -> Client:
    """`one` from in to mid, `two` from mid to out."""
    node = engine.NodeBuilder
    nodes = {
        "one": node().subscribe_only("in").do(increase).write_to("mid"),
        "two": node().subscribe_only("mid").do(tenfold).write_to("out"),
    }
    places = {"input_channels": "in", "output_channels": "out", **options}
    return made(engine, nodes, "in mid out", **places)


def case_bare_values_in_and_out(engine: Engine) -> Any:
    client = chain(engine)
    seen = [invoked(client, 1), everything(client, thread()), history(client.history(thread()))]
    return [*seen, invoked(client, 5), history(client.history(thread()))]


def case_dicts_in_and_out(engine: Engine) -> Any:
    client = chain(engine, input_channels=["in", "mid"], output_channels=["mid", "out"])
    given = ({"in": 1}, {"mid": 4}, {"in": 1, "mid": 7}, {"in": 2, "else": 3})
    return [invoked(client, each, thread(str(n))) for n, each in enumerate(given)]


def case_an_input_that_is_none(engine: Engine) -> Any:
    client = chain(engine, input_channels=["in", "mid"])
    given: tuple[Any, ...] = ({}, {"else": 1}, 5, None)
    return [
        kind(partial(client.invoke, each, thread(str(place)))) for place, each in enumerate(given)
    ]


def case_a_call_that_writes_no_output_returns_none(engine: Engine) -> Any:
    client = chain(engine, interrupt_after_nodes=["one"])
    return [invoked(client, given) for given in (1, None, 5, 7, None)]


def case_what_streams_show(engine: Engine) -> Any:
    seen: list[Any] = []
    for options in ({}, {"stream_channels": ["mid", "out"]}, {"stream_channels": "out"}):
        client = chain(engine, **options)
        for number, modes in enumerate((*MODES[:2], MODES)):
            chunks = client.stream(1, thread(str(number)), stream_mode=modes)
            seen.append([_without_ids(chunk) for chunk in chunks])
        seen.append(state(client.get_state(thread("0"))))
    return seen


def _without_ids(chunk: Any) -> Any:
    if isinstance(chunk, tuple):
        return chunk[0], _without_ids(chunk[1])
    return {k: v for k, v in chunk.items() if k != "id"} if isinstance(chunk, dict) else chunk


def case_other_output_keys(engine: Engine) -> Any:
    client = chain(engine)
    return [
        invoked(client, 1, thread("a"), output_keys="mid"),
        invoked(client, 1, thread("b"), output_keys=["mid", "out"]),
        kind(lambda: client.invoke(1, thread("c"), output_keys="else")),
        client.stream(1, thread("d"), stream_mode="values", output_keys="mid"),
    ]


def case_several_functions_and_what_is_written(engine: Engine) -> Any:
    node = engine.NodeBuilder().subscribe_only("in").do(increase).write_to("first")
    node = node.do(tenfold).write_to("second", fixed=7, made=increase, none=None)
    places = {
        "input_channels": "in",
        "output_channels": ["first", "second", "fixed", "made", "none"],
    }
    return invoked(made(engine, {"n": node}, "in first second fixed made none", **places), 1)


def case_a_node_reads_more_than_what_runs_it(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "adds": node().subscribe_to("in").read_from("sum").do(total).write_to("sum", "out"),
        "blind": node().subscribe_to("out", read=False).do(len).write_to("seen"),
    }
    channels = {
        **integers(engine, "in out seen"),
        "sum": engine.BinaryOperatorAggregate(int, operator.add),
    }
    places = {"input_channels": "in", "output_channels": ["out", "sum", "seen"]}
    client = made(engine, nodes, channels, **places)
    return [invoked(client, n) for n in (2, 3)] + [history(client.history(thread()))]


def case_one_node_of_two_channels(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("in").do(increase).write_to("mid"),
        "b": node().subscribe_to("in", "mid").do(total).write_to("out"),
    }
    client = made(engine, nodes, "in mid out", input_channels="in", output_channels="out")
    return [invoked(client, 1), history(client.history(thread()))]


def case_topics_collect_and_are_forgotten(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("in").do(increase).write_to("box"),
        "b": node().subscribe_only("in").do(tenfold).write_to("box", "kept"),
        "c": node().subscribe_only("box").write_to("out"),
        "d": node().subscribe_to("out").read_from("box", "kept", "once").write_to("last"),
    }
    channels = {
        "in": engine.LastValue(int),
        "box": engine.Topic(int),
        "kept": engine.Topic(int, accumulate=True),
        "once": engine.EphemeralValue(int),
        "out": engine.LastValue(list),
        "last": engine.LastValue(dict),
    }
    places = {"input_channels": ["in", "once"], "output_channels": ["out", "last", "kept"]}
    client = made(engine, nodes, channels, **places)
    seen = [invoked(client, {"in": 1, "once": 3}), invoked(client, {"in": 2})]
    return [*seen, history(client.history(thread()))]


def case_what_is_kept_is_not_told_again(engine: Engine) -> Any:
    nodes = {"n": engine.NodeBuilder().subscribe_only("in").do(increase)}
    channels = {"in": engine.AnyValue(int), "kept": engine.Topic(int, accumulate=True)}
    places = {"input_channels": ["in", "kept"], "output_channels": ["in", "kept"]}
    client = made(engine, nodes, channels, **places)
    given = ({"in": 1, "kept": 2}, {"in": 3})
    seen = [client.stream(one, thread(), stream_mode=["values", "updates"]) for one in given]
    return [*seen, history(client.history(thread()))]


def case_an_input_while_a_node_waits(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "a": node().subscribe_only("in").do(increase).write_to("mid"),
        "b": node().subscribe_only("mid").write_to("out"),
        "c": node().subscribe_only("box").write_to("seen"),
    }
    channels = {
        **integers(engine, "in mid out"),
        "box": engine.Topic(int),
        "seen": engine.LastValue(list),
    }
    places = {"input_channels": ["in", "box"], "output_channels": ["out", "seen"]}
    client = made(engine, nodes, channels, **places)
    client.invoke({"in": 1, "box": 5}, thread(), interrupt_before=["b", "c"])
    waits = state(client.get_state(thread()))
    return [waits, invoked(client, {"in": 2}), history(client.history(thread()))]


def case_breakpoints(engine: Engine) -> Any:
    seen = []
    for stops in ({"interrupt_before_nodes": ["two"]}, {"interrupt_after_nodes": "*"}):
        client = chain(engine, **stops)
        seen += [invoked(client, 1), everything(client, thread()), invoked(client, None)]
        seen.append(everything(client, thread()))
    return seen


def case_updates(engine: Engine) -> Any:
    client, seen = chain(engine), []
    seen.append(kind(lambda: client.update_state(thread(), 1)))
    for values, as_node in ((5, "one"), (7, "two"), (9, "one"), (3, "nowhere")):
        seen.append(kind(partial(_updated, client, values, as_node)))
        seen.append(everything(client, thread()))
    return [*seen, invoked(client, None), kind(lambda: _updated(client, 8, None))]


def _updated(client: Client, values: Any, as_node: str | None) -> None:
    client.update_state(thread(), values, as_node=as_node)


def case_an_update_of_what_was_stopped(engine: Engine) -> Any:
    client = chain(engine, interrupt_before_nodes=["two"])
    client.invoke(1, thread())
    client.update_state(thread(), 70, as_node="one")
    return [everything(client, thread()), invoked(client, None), everything(client, thread())]


def case_an_older_checkpoint_runs_again(engine: Engine) -> Any:
    client = chain(engine)
    client.invoke(1, thread())
    old = next(one.config for one in client.history(thread()) if one.metadata["step"] == 0)
    return [invoked(client, None, old), history(client.history(thread()))]


def case_a_command_writes_to_channels(engine: Engine) -> Any:
    client = chain(engine)
    client.invoke(1, thread())
    command = engine.Command(update={"mid": 50})
    return [invoked(client, command), everything(client, thread())]


def case_a_question(engine: Engine) -> Any:
    def ask(x: int) -> Any:
        return engine.interrupt({"x": x})

    node = engine.NodeBuilder().subscribe_only("in").do(increase).do(ask).write_to("out")
    client = made(engine, {"n": node}, "in out", input_channels="in", output_channels=["out"])
    seen = [invoked(client, 1), everything(client, thread())]
    return [*seen, invoked(client, engine.Command(resume=9)), history(client.history(thread()))]


def case_a_node_that_fails(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "good": node().subscribe_only("in").do(increase).write_to("mid"),
        "bad": node().subscribe_only("mid").do(fail).write_to("out"),
    }
    client = made(engine, nodes, "in mid out", input_channels="in", output_channels="out")
    failed = outcome(lambda: client.invoke(1, thread()))
    return [failed, history(client.history(thread()))]


def case_two_writes_of_one_step(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {name: node().subscribe_only("in").do(increase).write_to("out") for name in "ab"}
    client = made(engine, nodes, "in out", input_channels="in", output_channels="out")
    return kind(lambda: client.invoke(1, thread()))


def case_writes_to_what_is_no_channel(engine: Engine) -> Any:
    nodes = {"n": engine.NodeBuilder().subscribe_only("in").write_to("out", "nowhere")}
    return invoked(made(engine, nodes, "in out", input_channels="in", output_channels="out"), 1)


def case_the_limit_of_steps(engine: Engine) -> Any:
    nodes = {"n": engine.NodeBuilder().subscribe_only("x").do(increase).write_to("x")}
    client = made(engine, nodes, "x", input_channels="x", output_channels="x")
    return kind(lambda: client.invoke(1, thread(recursion_limit=5)))


def case_what_cannot_be_a_graph(engine: Engine) -> Any:
    node = engine.NodeBuilder
    both = {"input_channels": "in", "output_channels": "out"}
    given: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
        (node().subscribe_only("in"), "in", both),
        (node().subscribe_only("else"), "in out", both),
        (node().subscribe_to("in").read_from("else"), "in out", both),
        (node().subscribe_only("in"), "in out", {**both, "input_channels": "out"}),
        (node().subscribe_only("in"), "in out", {**both, "stream_channels": ["x"]}),
        (node().subscribe_only("in"), "in out", {**both, "interrupt_before_nodes": ["x"]}),
    )
    return [kind(partial(_nothing, engine, *each)) for each in given]


def _nothing(engine: Engine, node: Any, channels: str, options: dict[str, Any]) -> None:
    made(engine, {"n": node}, channels, **options)


def case_what_cannot_be_a_node(engine: Engine) -> Any:
    node = engine.NodeBuilder
    return [
        kind(lambda: node().subscribe_only("a").subscribe_only("b") and None),
        kind(lambda: node().subscribe_to("a").subscribe_only("b") and None),
        kind(lambda: node().subscribe_only("a").subscribe_to("b") and None),
        kind(lambda: node().read_from("a").subscribe_only("b") and None),
        kind(lambda: node().do(3) and None),
    ]


def case_a_node_with_the_tag_of_hidden_ones(engine: Engine) -> Any:
    node = engine.NodeBuilder
    nodes = {
        "one": node().subscribe_only("in").do(increase).write_to("mid").meta("langsmith:hidden"),
        "two": node().subscribe_only("mid").do(tenfold).write_to("out"),
    }
    client = made(engine, nodes, "in mid out", input_channels="in", output_channels="out")
    told = [client.stream(1, thread(), stream_mode=mode) for mode in ("updates", "tasks")]
    stops = made(
        engine,
        nodes,
        "in mid out",
        input_channels="in",
        output_channels="out",
        interrupt_before_nodes="*",
    )
    return [
        told[0],
        [part["name"] for part in told[1]],
        invoked(stops, 1, interrupt_before="*"),
        history(stops.history(thread())),
    ]


def case_a_graph_in_a_node(engine: Engine) -> Any:
    inner = engine.Pregel(
        nodes={"deep": engine.NodeBuilder().subscribe_only("x").do(increase).write_to("y")},
        channels=integers(engine, "x y"),
        input_channels=["x"],
        output_channels="y",
    )
    nodes = {"n": engine.NodeBuilder().subscribe_to("x").do(inner).do(tenfold).write_to("out")}
    client = made(engine, nodes, "x out", input_channels="x", output_channels="out")
    return [invoked(client, 1), history(client.history(thread()))]


def case_a_graph_that_is_a_node(engine: Engine) -> Any:
    def ask(x: int) -> Any:
        return engine.interrupt(x)

    inner = engine.Pregel(
        nodes={"deep": engine.NodeBuilder().subscribe_only("x").do(ask).write_to("y")},
        channels=integers(engine, "x y"),
        input_channels=["x"],
        output_channels="y",
    )
    nodes = {"n": engine.NodeBuilder().subscribe_to("x").do(inner).write_to("out")}
    client = made(engine, nodes, "x out", input_channels="x", output_channels=["out"])
    return [invoked(client, 1), invoked(client, engine.Command(resume=4))]
