"""Three graphs, one inside the other, and everything that can be seen of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Annotated, Any, TypedDict

from tests.parity.engines import Client, Engine
from tests.parity.exact import Exactly
from tests.parity.observe import Config, listed, thread


class State(TypedDict, total=False):
    """A list that the graphs around see too, and one that each graph has for itself."""

    log: Annotated[list[str], operator.add]
    own: Annotated[list[str], operator.add]


class Nothing(TypedDict, total=False):
    """What a graph is given that is a node: lists would double with each."""

    none: str


@dataclass(frozen=True, slots=True)
class Levels:
    """A root, a graph inside it, and one inside that, which asks at its end.

    Both are `called` by a node's function, or are the node; `mid` and `leaf` are what they were
    compiled with as their checkpointers.
    """

    called: bool = False
    mid: bool | None = None
    leaf: bool | None = None

    @property
    def name(self) -> str:
        """What a test with them is called."""
        return f"{'called' if self.called else 'node'}-{self.mid}-{self.leaf}"

    def compile(self, engine: Engine, **options: Any) -> Client:
        """Return the root on `engine`."""
        leaf = self._inside(engine, self.leaf, i1=says("i1"), i2=_asks(engine))
        mid = self._inside(engine, self.mid, m1=says("m1"), m2=leaf)
        root = engine.StateGraph(State)
        return engine.compile(
            chained(engine, root, o1=says("o1"), o2=mid, o3=says("o3")), **options
        )

    def _inside(self, engine: Engine, lasts: bool | None, **nodes: Any) -> Any:
        schema = {} if self.called else {"input_schema": Nothing}
        builder = chained(engine, engine.StateGraph(State, **schema), **nodes)
        graph = builder.compile(checkpointer=lasts)
        return calling(engine, graph) if self.called else graph


LEVELS = tuple(Levels(*each) for each in product((False, True), (None, True), (None, True)))


def chained(engine: Engine, builder: Any, **nodes: Any) -> Any:
    """`builder` with `nodes` one after the other."""
    previous = engine.START
    for name, action in nodes.items():
        builder.add_node(name, action).add_edge(previous, name)
        previous = name
    return builder


def says(what: str) -> Callable[[Any], Any]:
    """A node that says `what` in both lists."""
    return lambda _: {"log": [what], "own": [what]}


def _asks(engine: Engine) -> Callable[[Any], Any]:
    def ask(state: Any) -> Any:
        seen = len(state.get("own", ()))
        return {"log": [f"{seen} {engine.interrupt(f'after {seen}?')}"]}

    return ask


def calling(engine: Engine, graph: Any, times: int = 1) -> Callable[[Any], Any]:
    """A node that calls `graph` so many times, and says what that says."""

    def node(state: Any) -> Any:
        del state
        return _said([graph.invoke({"own": [f"{turn}"]}) for turn in range(times)])

    async def anode(state: Any) -> Any:
        del state
        return _said([await graph.ainvoke({"own": [f"{turn}"]}) for turn in range(times)])

    return anode if engine.asynchronous else node


def _said(found: list[Any]) -> dict[str, Any]:
    return {"log": [word for each in found for word in each.get("log", ())]}


# --- what is seen of them -------------------------------------------------------------------------


def seen_of(exactly: Exactly, call: Callable[[], Any]) -> Any:
    """What `call` gave or raised."""
    try:
        return exactly(call())
    except Exception as exc:  # noqa: BLE001 - whatever is raised is what is compared
        return exactly(exc)


def look(client: Client, exactly: Exactly) -> list[dict[str, Any]]:
    """The states of all frames there ever were, by every call that shows them, the root's first.

    Each frame once, though most are told by several checkpoints of the one around them.
    """
    found, places, known = [], [thread()], []
    while places:
        place = places.pop(0)
        history = client.history(place)
        found.append(_shown_at(client, exactly, place, history))
        told = [inner for one in history for inner in _inside(one) if inner not in known]
        new = [inner for at, inner in enumerate(told) if inner not in told[:at]]
        known += new
        places += new
    return found


def _shown_at(client: Client, exactly: Exactly, place: Config, history: list[Any]) -> Any:
    return {
        "state": seen_of(exactly, lambda: client.get_state(place)),
        "deep": seen_of(exactly, lambda: client.get_state(place, subgraphs=True)),
        "history": exactly(history),
        "at": [seen_of(exactly, partial(client.get_state, one.config)) for one in history],
    }


def _inside(snapshot: Any) -> Iterator[Config]:
    return (task.state for task in listed(snapshot) if task.state)


def checkpoints_inside(client: Client, place: Config | None = None) -> Iterator[Any]:
    """All snapshots of the frames in tasks, newest first, those further in after their own."""
    for snapshot in client.history(place or thread()):
        for inner in _inside(snapshot):
            yield from client.history(inner)
            yield from checkpoints_inside(client, inner)
