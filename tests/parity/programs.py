"""Random graphs as data: what each node does, how nodes are joined, how the run is driven."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

from tests.parity.engines import Client, Engine

Form = Literal["dict", "none", "command", "commands"]
RunnableConfig = dict[str, Any]
DEEPEST = 2
"""How often a packet may be sent on: fan-outs of fan-outs stay small."""


class State(TypedDict, total=False):
    """A list that grows, a sum, and a key that takes one value per superstep."""

    log: Annotated[list[str], operator.add]
    total: Annotated[int, operator.add]
    last: str


@dataclass(frozen=True, slots=True)
class Node:
    """What one node does, in this order: fail, ask, fail late, write, go on.

    `fails` and `fails_late` count the failed runs of the thread before it succeeds. `leaves`: it
    leaves its graph, to these nodes of the graph around.
    """

    name: str
    form: Form = "dict"
    marks: int = 1
    sets: bool = False
    asks: int = 0
    fails: int = 0
    fails_late: int = 0
    goto: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    leaves: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A conditional edge: one of `targets` by turns, all of them (`wide`), or a Send to each."""

    source: str
    targets: tuple[str, ...]
    shape: Literal["one", "wide", "send"] = "one"
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A graph and the way it is run; `bound` is the sum at which branches and gotos stop."""

    nodes: tuple[Node, ...]
    entries: tuple[str, ...]
    edges: tuple[tuple[str, str], ...] = ()
    joins: tuple[tuple[tuple[str, ...], str], ...] = ()
    branches: tuple[Branch, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    limit: int = 10
    bound: int = 5
    answers_all: bool = True

    @property
    def can_fail(self) -> bool:
        """Whether a node raises."""
        return any(node.fails or node.fails_late for node in self.nodes)

    @property
    def can_stop(self) -> bool:
        """Whether a superstep may be left half done."""
        return self.can_fail or any(node.asks for node in self.nodes)


def build(engine: Engine, program: Program) -> Client:
    """`program` compiled on `engine`."""
    return engine.compile(assembled(engine, engine.StateGraph(State), program, {}))


def assembled(engine: Engine, graph: Any, program: Program, actions: Mapping[str, Any]) -> Any:
    """The builder `graph` with everything of `program`; `actions` stand in the place of nodes."""
    for node in program.nodes:
        action = actions.get(node.name) or node_function(engine, program, node)
        graph.add_node(node.name, action)
    for entry in program.entries:
        graph.add_edge(engine.START, entry)
    for source, target in program.edges:
        graph.add_edge(source, target)
    for sources, target in program.joins:
        graph.add_edge(list(sources), target)
    for branch in program.branches:
        path_map = [*branch.targets, engine.END] if branch.mapped else None
        path = path_function(engine, program, branch)
        graph.add_conditional_edges(branch.source, path, path_map)
    return graph


def node_function(engine: Engine, program: Program, node: Node) -> Callable[..., Any]:
    """The function of `node`: it depends on its input and on `config` alone."""

    def body(state: dict[str, Any], config: RunnableConfig) -> Any:
        failures = config["configurable"]["failures"]
        _fail_while(failures < node.fails)
        seen = _seen(state)
        answers = [engine.interrupt(f"{node.name}{turn} {seen}") for turn in range(node.asks)]
        _fail_while(failures < node.fails_late)
        return _leave(engine, program, node, state, answers)

    async def async_body(state: dict[str, Any], config: RunnableConfig) -> Any:
        return body(state, config)

    return async_body if engine.asynchronous else body


def _fail_while(failing: bool) -> None:
    if failing:
        # The same text from each node: which of two failing siblings is reported is chance.
        raise ValueError("boom")


def _seen(state: dict[str, Any]) -> str:
    """What a node can see of its input."""
    if "depth" in state:
        return f"packet {state['depth']} {state['item']}"
    return f"{len(state.get('log', ()))} {state.get('total', 0)} {state.get('last', '-')}"


def _leave(
    engine: Engine, program: Program, node: Node, state: dict[str, Any], answers: list[str]
) -> Any:
    if node.leaves is not None:
        return _command_to_parent(engine, program, node, state)
    update: dict[str, Any] = {
        "log": [f"{node.name}({_seen(state)}){answers}"] * node.marks,
        "total": 1,
    }
    if node.sets:
        update["last"] = node.name
    goto = _goto(engine, program, node, state)
    match node.form:
        case "none":
            return None
        case "dict":
            return update
        case "command":
            return engine.Command(update=update, goto=goto)
        case "commands":
            return [update, engine.Command(update={"log": ["+"]}), engine.Command(goto=goto)]


def _command_to_parent(engine: Engine, program: Program, node: Node, state: dict[str, Any]) -> Any:
    # The same from each of its graph: of several in a superstep the reference takes any.
    goto = node.leaves if state.get("total", 0) < program.bound else ()
    parent = engine.Command.PARENT
    return engine.Command(graph=parent, update={"log": ["left"], "total": 1}, goto=goto)


def _goto(engine: Engine, program: Program, node: Node, state: dict[str, Any]) -> list[Any]:
    depth = state.get("depth", 0)
    if depth >= DEEPEST or state.get("total", 0) >= program.bound:
        return []
    packets = [
        engine.Send(target, {"depth": depth + 1, "item": f"{node.name}{place}"})
        for place, target in enumerate(node.sends)
    ]
    return [*node.goto, *packets]


def path_function(engine: Engine, program: Program, branch: Branch) -> Callable[..., Any]:
    """The path function of `branch`: it depends on the state alone."""

    def path(state: dict[str, Any]) -> Any:
        total = state.get("total", 0)
        if total >= program.bound:
            return engine.END
        if branch.shape == "one":
            return branch.targets[total % len(branch.targets)]
        if branch.shape == "wide":
            return list(branch.targets)
        return [
            engine.Send(target, {"depth": 1, "item": f"{branch.source}{place}"})
            for place, target in enumerate(branch.targets)
        ]

    return path
