"""Three graphs, one inside the other, and everything that can be seen of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Looking:
    """The states of all frames there ever were, by every call that shows them, the root's first.

    Checkpoints do not change: all but the last look pass by those that an earlier one has seen,
    and the frames that those alone tell of. What is at the head is always looked at.
    """

    client: Client
    exactly: Exactly
    seen: set[tuple[str, str]] = field(default_factory=set)

    def look(self, *, again: bool = False) -> list[dict[str, Any]]:
        """Return what is new, or all that there is `again`.

        Each frame once, though most are told by several checkpoints of the one around them.
        """
        found, places, known = [], [thread()], []
        while places:
            place = places.pop(0)
            history = self.client.history(place)
            new = [one for one in history if again or _name(one) not in self.seen]
            found.append(self._shown_at(place, history, new))
            told = [inner for one in (*history[:1], *new) for inner in _inside(one)]
            unknown = [inner for inner in told if inner not in known]
            fresh = [inner for at, inner in enumerate(unknown) if inner not in unknown[:at]]
            known += fresh
            places += fresh
            self.seen.update(map(_name, new))
        return found

    def _shown_at(self, place: Config, history: list[Any], new: list[Any]) -> dict[str, Any]:
        client, exactly = self.client, self.exactly
        return {
            "state": seen_of(exactly, lambda: client.get_state(place)),
            "deep": seen_of(exactly, lambda: client.get_state(place, subgraphs=True)),
            "history": exactly(history),
            "at": [seen_of(exactly, partial(client.get_state, one.config)) for one in new],
        }


def _name(snapshot: Any) -> tuple[str, str]:
    place = snapshot.config["configurable"]
    return place.get("checkpoint_ns", ""), place["checkpoint_id"]


def _inside(snapshot: Any) -> Iterator[Config]:
    return (task.state for task in listed(snapshot) if task.state)


def checkpoints_inside(client: Client, place: Config | None = None) -> Iterator[Any]:
    """All snapshots of the frames in tasks, newest first, those further in after their own."""
    for snapshot in client.history(place or thread()):
        for inner in _inside(snapshot):
            yield from client.history(inner)
            yield from checkpoints_inside(client, inner)
