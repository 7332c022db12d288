"""Random graphs inside the nodes of random graphs: as a node, or called by its function."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, TypedDict

from tests.parity import observe
from tests.parity.edits import Edit, edited
from tests.parity.engines import Client, Engine
from tests.parity.programs import Program, State, assembled
from tests.parity.script import MOST_ERRORS, Course, drive

RunnableConfig = dict[str, Any]


class Given(TypedDict, total=False):
    """What of the state a graph is given that is a node: no list that would double with each."""

    total: Annotated[int, operator.add]
    last: str


@dataclass(frozen=True, slots=True)
class Nest:
    """The `program` inside a node, compiled with `lasts` as its checkpointer.

    It is the node, or `called` so many times by the node's function, each time with its own input.
    """

    node: str
    program: Program
    called: int = 0
    lasts: bool | None = None
    nests: tuple[Nest, ...] = ()

    @property
    def asking(self) -> int:
        """How many of its tasks may ask, themselves or by a graph inside."""
        own = {node.name for node in self.program.nodes if node.asks}
        inside = {nest.node: nest.asking for nest in self.nests}
        return len(own - inside.keys()) + sum(map(bool, inside.values()))

    @property
    def asks_one_by_one(self) -> bool:
        """Whether no two tasks of one graph inside may ask."""
        return self.asking <= 1 and all(nest.asks_one_by_one for nest in self.nests)


@dataclass(frozen=True, slots=True)
class Nested:
    """A root program with what is inside it; `edits`: what is updated while graphs inside wait."""

    program: Program
    nests: tuple[Nest, ...]
    edits: tuple[Edit, ...] = ()


def build(engine: Engine, nested: Nested) -> Client:
    """`nested` compiled on `engine`."""
    actions = actions_of(engine, nested.nests)
    builder = assembled(engine, engine.StateGraph(State), nested.program, actions)
    # The reference cannot save before the next superstep where a graph inside keeps nothing.
    return engine.compile(builder, durability="async" if _has(nested.nests, False) else "sync")


def _has(nests: tuple[Nest, ...], lasts: bool) -> bool:
    """Whether one of the graphs inside is compiled so."""
    return any(nest.lasts is lasts or _has(nest.nests, lasts) for nest in nests)


def actions_of(engine: Engine, nests: tuple[Nest, ...]) -> dict[str, Any]:
    """What stands in the place of nodes: node name -> a graph, or a function that calls one."""
    return {nest.node: _action(engine, nest) for nest in nests}


def _action(engine: Engine, nest: Nest) -> Any:
    given = {} if nest.called else {"input_schema": Given}
    builder = engine.StateGraph(State, **given)
    stops = {
        "interrupt_before": list(nest.program.before) or None,
        "interrupt_after": list(nest.program.after) or None,
    }
    actions = actions_of(engine, nest.nests)
    graph = assembled(engine, builder, nest.program, actions).compile(
        checkpointer=nest.lasts, **stops
    )
    return _calling(engine, nest, graph) if nest.called else graph


def _calling(engine: Engine, nest: Nest, graph: Any) -> Callable[..., Any]:
    def given(turn: int, state: dict[str, Any]) -> dict[str, Any]:
        return {"log": [f"{nest.node}-in{turn}"], "total": state.get("total", 0)}

    def written(found: list[Any]) -> dict[str, Any]:
        log = [f"{nest.node}:{len((each or {}).get('log', ()))}" for each in found]
        return {"log": log, "total": 1}

    def node(state: dict[str, Any]) -> Any:
        return written([graph.invoke(given(turn, state)) for turn in range(nest.called)])

    async def async_node(state: dict[str, Any]) -> Any:
        return written([await graph.ainvoke(given(turn, state)) for turn in range(nest.called)])

    return async_node if engine.asynchronous else node


# --- what is done with them -----------------------------------------------------------------------


def run(engine: Engine, nested: Nested) -> dict[str, Any]:
    """Drive a nested program to its end; its calls, its history, and those of its frames."""
    client = build(engine, nested)
    edits: list[Any] = []
    todo = list(nested.edits)

    def edit() -> bool:
        found = edited(client, todo[0]) if todo else []
        if found:
            todo.pop(0)
            edits.append(found)
        return bool(found)

    course = course_of(client, nested, edit)
    calls = drive(engine, client, course, {"log": ["in"]})
    return {"calls": failed_alike(calls), "edits": edits, **after(client, calls, course)}


@dataclass(frozen=True, slots=True)
class Reached:
    """Takes note of the steps that a thread has reached when a call of it failed."""

    client: Client
    steps: list[int] = field(default_factory=list)

    def __call__(self) -> None:
        newest = next(iter(self.client.history(observe.thread())), None)
        self.steps.append(-1 if newest is None else newest.metadata["step"])

    @property
    def certain(self) -> int | None:
        """The last step that a thread which was given up reached not by chance; else None.

        A graph inside that meets its recursion limit gets further by each call that begins its
        task, and which siblings of a failed task had begun is chance: so is how many calls a
        superstep takes.
        """
        return self.steps[0] if len(self.steps) >= MOST_ERRORS else None


def course_of(client: Client, nested: Nested, edit: Callable[[], bool] = lambda: False) -> Course:
    """How a nested program is driven."""
    # Which of two tasks is said to have failed is chance; a graph that lasts has no failing nodes.
    ends = ("GraphRecursionError", "InvalidUpdateError") if _has(nested.nests, True) else ()
    return Course(nested.program, edit, ends, Reached(client))


def after(client: Client, calls: list[Any], course: Course) -> dict[str, Any]:
    """Return the history when `calls` were made."""
    last = course.failed.certain if isinstance(course.failed, Reached) else None
    history = frames(client, observe.thread(), last)
    if "error" in calls[-1]["outcome"]:
        # How far the siblings of a failed task got is chance, and nothing came after it.
        history[0] |= {"results": None, "asked": None, "inside": None}
    return {"history": history}


def failed_alike(calls: list[Any]) -> list[Any]:
    """`calls` without which of several tasks it was that failed, since that is chance."""
    return [{"error": True} if "error" in call["outcome"] else call for call in calls]


def frames(client: Client, place: observe.Config, last: int | None = None) -> list[Any]:
    """The history of a frame, each checkpoint with the histories of the frames in its tasks.

    `last`: the step up to which.
    """
    found = [
        each for each in client.history(place) if last is None or each.metadata["step"] <= last
    ]
    shown = observe.history(found)
    inner = [_inside(client, each) for each in found]
    return [{**one, "inside": each} for one, each in zip(shown, inner, strict=True)]


def _inside(client: Client, snapshot: Any) -> list[Any]:
    tasks = [one for one in observe.listed(snapshot) if one.state]
    return [(one.name, observe.outcome(partial(frames, client, one.state))) for one in tasks]
