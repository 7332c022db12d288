"""Random programs whose nodes have gear, run in several ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.gear import CHANNELS, Context, Gear, function, schema
from tests.parity.programs import Node, Program, assembled
from tests.parity.script import MOST_CALLS, MOST_ERRORS
from tests.parity.strategies import programs, some, unsent

TOPICS = ("box", "kept")
SELDOM = st.sampled_from([False, False, False, True])


@dataclass(frozen=True, slots=True)
class Geared:
    """A program, what its nodes have, and how runs are made."""

    program: Program
    gear: Mapping[str, Gear] = field(default_factory=dict)
    durability: str = "sync"
    version: str = "v1"


@st.composite
def geared(draw: st.DrawFn, channels: tuple[str, ...] = tuple(CHANNELS)) -> Geared:
    """A program with gear; what fails does so before it asks."""
    program = draw(programs())
    durability = draw(st.sampled_from(["sync", "sync", "async", "exit"]))
    nodes = tuple(replace(node, fails_late=0) for node in program.nodes)
    program = replace(program, nodes=nodes)
    if durability == "async":
        # Saving beside the next superstep, the reference may store a join as that one leaves it.
        program = replace(program, joins=())
    late = draw(st.booleans())
    if late:
        # There, what is put off until nothing else is left does not wait for packets.
        program = unsent(program)
    known = tuple(name for name in channels if late or name != "late")
    if durability == "async":
        # Nor a topic as it was: both are changed in place there.
        known = tuple(name for name in known if name not in TOPICS)
    if program.can_stop:
        # Of a superstep that is half done the reference shows channels that forget as empty.
        known = tuple(name for name in known if name == "kept")
    gear = {node.name: draw(_gears(node, known, late=late).map(_alone)) for node in program.nodes}
    if any(node.fails for node in nodes):
        # How far a sibling's calls are when a node fails is chance.
        gear = {name: replace(each, calls=0) for name, each in gear.items()}
    version = draw(st.sampled_from(["v1", "v2"]))
    return Geared(program, gear, durability, version)


def _alone(gear: Gear) -> Gear:
    """`gear` that does nothing beside what it leaves, where that may be cached."""
    return replace(gear, remembers=False, drains=False) if gear.cached else gear


def _gears(node: Node, channels: tuple[str, ...], *, late: bool) -> st.SearchStrategy[Gear]:
    # What asks or fails in one thread may be found in the cache in another.
    sure = not (node.asks or node.fails)
    return st.builds(
        Gear,
        writes=some(channels, 2) if channels else st.just(()),
        defer=SELDOM if late else st.just(False),
        cached=st.sampled_from(["", "", "input", "key"] if sure else [""]),
        timed=st.booleans(),
        remembers=st.booleans(),
        replaces=SELDOM,
        calls=st.sampled_from([0, 0, 0, 1, 2]),
        drains=st.sampled_from([False] * 7 + [True]),
    )


def build(engine: Engine, geared: Geared) -> Client:
    """Compile it on `engine`."""
    program = geared.program
    # Which call of a thread a node beside a failed one ran in is chance.
    builder = engine.StateGraph(schema(engine, managed=not program.can_fail), Context)
    for node in program.nodes:
        gear = geared.gear.get(node.name, Gear())
        action = function(engine, program, node, gear)
        builder.add_node(node.name, action, **_options(engine, gear))
    builder = assembled(engine, builder, replace(program, nodes=()), {})
    return engine.compile(
        builder, durability=geared.durability, store=engine.store(), cache=engine.cache()
    )


def _options(engine: Engine, gear: Gear) -> dict[str, Any]:
    options: dict[str, Any] = {"defer": gear.defer}
    if gear.cached:
        key = (
            {"key_func": lambda state: repr(sorted(state.items()))} if gear.cached == "key" else {}
        )
        options["cache_policy"] = engine.CachePolicy(**key)
    if engine.asynchronous and gear.timed:
        options["timeout"] = 600
    return options


def run(engine: Engine, geared: Geared) -> dict[str, Any]:
    """Drive it on two threads, of which the second finds what is cached; calls and histories."""
    client = build(engine, geared)
    return {name: _thread(engine, client, geared, name) for name in "tu"}


def _thread(engine: Engine, client: Client, geared: Geared, name: str) -> dict[str, Any]:
    program = geared.program
    seen: list[dict[str, Any]] = []
    given: Any = {"log": ["in"]}
    failed = 0
    while len(seen) < MOST_CALLS:
        config = observe.thread(name, recursion_limit=program.limit)
        config["configurable"]["failures"] = failed
        seen.append(_call(client, geared, given, config, engine.RunControl()))
        if error := seen[-1].get("error"):
            failed, given = failed + 1, None
            if failed >= MOST_ERRORS or error[0] == "InvalidUpdateError":
                break
            continue
        snapshot = client.get_state(observe.thread(name))
        seen[-1]["state"] = observe.state(snapshot)
        if not snapshot.next:
            break
        given = _answer(engine, geared, observe.waiting(snapshot))
    history = observe.history(client.history(observe.thread(name)))
    # How far the siblings of a failed task got is chance, and nothing came after it.
    return {"calls": seen, "history": history["error" in seen[-1] :]}


def _answer(engine: Engine, geared: Geared, pending: list[Any]) -> Any:
    chosen = pending if geared.program.answers_all else pending[:1]
    answers = {one.id: f"yes to {one.value}" for one in chosen}
    return engine.Command(resume=answers) if answers else None


def _call(
    client: Client, geared: Geared, given: Any, config: observe.Config, control: Any
) -> dict[str, Any]:
    options = {
        "context": {"tone": config["configurable"]["thread_id"][-1]},
        "control": control,
        "version": geared.version,
        "interrupt_before": list(geared.program.before),
        "interrupt_after": list(geared.program.after),
    }
    return dict(observe.outcome(lambda: {"given": client.invoke(given, config, **options)}))
