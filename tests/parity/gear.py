"""What the nodes of random programs have and use beside their state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypedDict, get_type_hints

from tests.parity.engines import Engine
from tests.parity.programs import Node, Program, State, node_function

RunnableConfig = dict[str, Any]
CHANNELS: dict[str, Callable[[Engine], Any]] = {
    "box": lambda engine: engine.Topic(str),
    "kept": lambda engine: engine.Topic(str, accumulate=True),
    "once": lambda engine: engine.EphemeralValue(str, guard=False),
    "any": lambda engine: engine.AnyValue(str),
    "late": lambda engine: engine.LastValueAfterFinish(str),
    "untold": lambda engine: engine.UntrackedValue(str, guard=False),
}
"""Keys of the state that are channels of their own; workers forget an untracked one."""

MANAGED = {"left": "RemainingSteps", "over": "IsLastStep"}


class Context(TypedDict):
    """What a run is given beside its input."""

    tone: str


@dataclass(frozen=True, slots=True)
class Gear:
    """What one node has and uses.

    It writes to the channels `writes`; it is put off (`defer`), has a time that is `long` enough
    for it, puts something into the store and looks what nodes of the superstep before have put
    (`remembers`), takes the place of the list (`replaces`), calls functions so many times, asks the
    run to stop (`drains`).
    """

    writes: tuple[str, ...] = ()
    defer: bool = False
    cached: Literal["", "input", "key"] = ""
    timed: bool = False
    remembers: bool = False
    replaces: bool = False
    calls: int = 0
    drains: bool = False


def schema(engine: Engine, *, managed: bool) -> Any:
    """The state of programs with gear: that of all programs, more channels, what runs know."""
    channels = {name: Annotated[Any, make(engine)] for name, make in CHANNELS.items()}
    known = {name: getattr(engine, kind) for name, kind in MANAGED.items() if managed}
    made: Any = TypedDict
    own = get_type_hints(State, include_extras=True)
    return made("Geared", {**own, **channels, **known}, total=False)


def function(engine: Engine, program: Program, node: Node, gear: Gear) -> Any:
    """The function of `node`: what its gear is for, then what it does in every program."""
    does = node_function(engine, program, node)
    told = engine.task(partial(_called, node.name), name=f"call-{node.name}")

    def body(state: Any, config: RunnableConfig, *, runtime: Any) -> Any:
        calls = [told(turn) for turn in range(gear.calls)]
        more = _used(engine, node.name, gear, state, runtime)
        done = does(state, config)
        return _with(engine, done, more, [call.result() for call in calls])

    async def async_body(state: Any, config: RunnableConfig, *, runtime: Any) -> Any:
        calls = [told(turn) for turn in range(gear.calls)]
        more = _used(engine, node.name, gear, state, runtime)
        done = await does(state, config)
        return _with(engine, done, more, [await call for call in calls])

    chosen = async_body if engine.asynchronous else body
    chosen.__annotations__["runtime"] = engine.Runtime
    return chosen


def _called(name: str, turn: int) -> str:
    return f"{name} called {turn}"


def _with(engine: Engine, done: Any, more: dict[str, Any], called: list[str]) -> Any:
    """What a node leaves: what it `done`, and what it found `more`."""
    parts = done if isinstance(done, list) else [] if done is None else [done]
    return [*parts, engine.Command(update=more), engine.Command(update={"log": called})]


def _used(engine: Engine, name: str, gear: Gear, state: Any, runtime: Any) -> dict[str, Any]:
    """Use the gear; the update that tells of it."""
    if gear.drains:
        runtime.control.request_drain("drained")
    found = [*_seen(state), runtime.context["tone"]]
    if gear.remembers:
        found += _remembered(engine, name, state, runtime)
    told = " ".join(map(str, found))
    log = engine.Overwrite([told]) if gear.replaces else [told]
    return {"log": log, **dict.fromkeys(gear.writes, name)}


def _seen(state: Any) -> list[Any]:
    """What of its channels a node is given."""
    return [f"{key}={state[key]}" for key in (*CHANNELS, *MANAGED) if key in state]


def _remembered(engine: Engine, name: str, state: Any, runtime: Any) -> list[Any]:
    """Put something into the store, and tell what the superstep before has put there."""
    config = engine.get_config()
    of, step = (
        config["configurable"]["thread_id"].replace(".", "-"),
        config["metadata"]["langgraph_step"],
    )
    key = f"{name} {state.get('item', '')}"
    runtime.store.put((of, f"at-{step}"), key, {"total": state.get("total", 0)})
    found = engine.get_store().search((of, f"at-{step - 1}"), limit=50)
    alone = runtime.store.get((of, f"at-{step - 1}"), key)
    told = sorted((item.key, item.value["total"]) for item in found)
    return [told, alone and alone.value]
