"""Random graphs made of nodes and channels by hand, and what is seen of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.parity import observe
from tests.parity.cases.channels import made
from tests.parity.engines import Client, Engine
from tests.parity.strategies import some
from tests.parity.watching import in_order

CHANNELS = ("p", "q", "r", "s")
GIVEN: tuple[dict[str, int], ...] = ({"p": 1}, {"q": 2, "p": 3})
KINDS: dict[str, Callable[[Engine], Any]] = {
    "last": lambda engine: engine.LastValue(int),
    "sum": lambda engine: engine.BinaryOperatorAggregate(int, operator.add),
    "any": lambda engine: engine.AnyValue(int),
    "once": lambda engine: engine.EphemeralValue(int, guard=False),
    "topic": lambda engine: engine.Topic(int),
    "kept": lambda engine: engine.Topic(int, accumulate=True),
}

LASTING = ("kept",)


@dataclass(frozen=True, slots=True)
class Unit:
    """A node: it runs when one of `reads` is written, is given `also`, and writes `writes`.

    `alone`: it is given the bare value of its one channel. `asks`: whether it asks before.
    """

    name: str
    reads: tuple[str, ...]
    also: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    alone: bool = False
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Channelled:
    """Nodes, what each channel is, and before which nodes runs stop."""

    units: tuple[Unit, ...]
    kinds: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    bound: int = 20

    @property
    def at_the_bound(self) -> int | None:
        """What nodes write from the bound on: nothing, unless that cannot be added.

        Nor where questions are about: a task that wrote nothing beside one that asks the reference
        runs once more.
        """
        adds = "sum" in self.kinds.values()
        return 0 if adds or any(unit.asks for unit in self.units) else None


@st.composite
def channelled(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS)) -> Channelled:
    """One to four nodes over four channels, which forget nothing where nodes may ask.

    Of a superstep that is half done the reference shows channels that forget as empty, and nothing
    at all where what was written does not go together. No node runs because of a sum: there, what
    goes on, and what is shown, also has nodes of sums that nobody has written.
    """
    names = tuple(f"n{place}" for place in range(draw(st.integers(1, 4))))
    asks, before = draw(st.booleans()), draw(some(names, 1))
    known = LASTING if asks else kinds
    chosen = {name: draw(st.sampled_from(known)) for name in CHANNELS}
    units = [draw(_units(name, asks)) for name in names]
    if not any(GIVEN[-1].keys() & set(unit.reads) for unit in units):
        units[0] = replace(units[0], reads=("p",))
    bound, read = draw(st.integers(5, 60)), {name for unit in units for name in unit.reads}
    chosen |= {name: "kept" for name in read if chosen[name] == "sum"}
    return Channelled(tuple(units), chosen, before, bound)


@st.composite
def _units(draw: st.DrawFn, name: str, may_ask: bool) -> Unit:
    alone = draw(st.booleans())
    reads = draw(some(CHANNELS, 1 if alone else 2, least=1))
    also = () if alone else draw(some(CHANNELS, 2))
    asks = may_ask and draw(st.booleans())
    return Unit(name, reads, also, draw(some(CHANNELS, 2)), alone, asks)


def run(engine: Engine, graph: Channelled) -> list[Any]:
    """Stream two inputs, going on after stops and with answers: chunks, states and the history."""
    client = build(engine, graph)
    seen: list[Any] = []
    for given in GIVEN:
        seen += _to_its_end(engine, client, given)
        if "error" in seen[-1]:
            break
    history = observe.history(client.history(observe.thread()))
    # How far the siblings of a failed task got is chance.
    return [*seen, history["error" in seen[-1] :]]


def _to_its_end(engine: Engine, client: Client, given: Any) -> list[Any]:
    seen: list[Any] = []
    for _ in range(4):
        seen.append(observe.kind(lambda one=given: _chunks(client, one)))  # type: ignore[misc]
        if "error" in seen[-1]:
            break
        snapshot = client.get_state(observe.thread())
        if not snapshot.next:
            break
        seen.append(observe.state(snapshot))
        answers = {one.id: 1 for one in observe.waiting(snapshot)}
        given = engine.Command(resume=answers) if answers else None
    return seen


def _chunks(client: Client, given: Any) -> list[Any]:
    config = observe.thread(recursion_limit=6)
    return in_order(client.stream(given, config, stream_mode=["values", "updates"]))


def build(engine: Engine, graph: Channelled) -> Client:
    """Compile it on `engine`."""
    nodes = {unit.name: _node(engine, graph, unit) for unit in graph.units}
    channels = {name: KINDS[kind](engine) for name, kind in graph.kinds.items()}
    places = {"input_channels": ["p", "q"], "output_channels": list(CHANNELS)}
    return made(engine, nodes, channels, interrupt_before_nodes=list(graph.before), **places)


def _node(engine: Engine, graph: Channelled, unit: Unit) -> Any:
    def body(given: Any) -> int | None:
        total = _summed(given) + len(unit.name)
        if unit.asks:
            total += engine.interrupt(f"{unit.name} {total}")
        return total if total < graph.bound else graph.at_the_bound

    async def async_body(given: Any) -> int | None:
        return body(given)

    node = engine.NodeBuilder()
    node = node.subscribe_only(*unit.reads) if unit.alone else node.subscribe_to(*unit.reads)
    node = node.read_from(*unit.also) if unit.also else node
    return node.do(async_body if engine.asynchronous else body).write_to(*unit.writes)


def _summed(given: Any) -> int:
    """The sum of all that a node is given."""
    if isinstance(given, Mapping):
        return sum(map(_summed, given.values()))
    return sum(given) if isinstance(given, list | tuple) else int(given or 0)
