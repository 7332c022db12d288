"""Random programs whose nodes have error handlers, of their own or by the defaults of the graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.programs import Node, Program, State, assembled, node_function
from tests.parity.script import Course, drive
from tests.parity.strategies import programs, some


@dataclass(frozen=True, slots=True)
class Handled:
    """A program; nodes with a handler and where that leads; `default`: where that of others does.

    A handler that leads nowhere leaves an update alone. None: the others have no handler. `hangs`:
    what fails never ends instead, where nodes are coroutines, and is out of time.
    """

    program: Program
    handlers: dict[str, tuple[str, ...]]
    default: tuple[str, ...] | None = None
    tries: int = 1
    hangs: bool = False


@st.composite
def handled_programs(draw: st.DrawFn) -> Handled:
    """A program in which all that fails is handled.

    Whether a node beside one that ends the run had been handled is chance.
    """
    program = draw(programs())
    names = tuple(node.name for node in program.nodes)
    chosen = draw(some(names, 3, least=1))
    handlers = {name: draw(some(names, 1)) for name in chosen}
    default = draw(st.one_of(st.none(), some(names, 1)))
    failing = draw(some(chosen if default is None else names, 3, least=1))
    nodes = (
        replace(node, fails=draw(st.integers(1, 3)) * (node.name in failing), fails_late=0)
        for node in program.nodes
    )
    program = replace(program, nodes=tuple(nodes))
    return Handled(program, handlers, default, draw(st.integers(1, 2)), draw(st.booleans()))


def run(engine: Engine, handled: Handled) -> dict[str, Any]:
    """Drive it to its end: the calls, the states, the history."""
    client = build(engine, handled)
    calls = drive(engine, client, Course(handled.program), {"log": ["in"]})
    history = observe.history(client.history(observe.thread()))
    # Of a task that failed the reference shows what it had asked before, too.
    told = [{name: one[name] for name in one if name != "asked"} for one in history]
    return {"calls": [_at_rest(call) for call in calls], "history": told}


def _at_rest(call: dict[str, Any]) -> dict[str, Any]:
    """`call` without what a handler left beside a question: it is shown here, and not there."""
    if "state" not in call or not call["state"]["interrupts"]:
        return call
    state = {name: told for name, told in call["state"].items() if name not in ("values", "tasks")}
    return {"state": state, "asked": call["outcome"]["__interrupt__"]}


def build(engine: Engine, handled: Handled) -> Client:
    """Compile it on `engine`."""
    policy = engine.RetryPolicy(0.0001, max_attempts=handled.tries, jitter=False)
    builder = engine.StateGraph(State).set_node_defaults(retry_policy=policy)
    if handled.default is not None:
        builder.set_node_defaults(error_handler=_handler(engine, handled, handled.default))
    bare = replace(handled.program, nodes=())
    for node in handled.program.nodes:
        _add(engine, builder, handled, node)
    return engine.compile(assembled(engine, builder, bare, {}))


def _add(engine: Engine, builder: Any, handled: Handled, node: Node) -> None:
    own = handled.handlers.get(node.name)
    options: dict[str, Any] = (
        {} if own is None else {"error_handler": _handler(engine, handled, own)}
    )
    action = node_function(engine, handled.program, node)
    if handled.hangs and node.fails and engine.asynchronous:
        action, options["timeout"] = _hang, 0.02
    builder.add_node(node.name, action, **options)


async def _hang(state: dict[str, Any]) -> None:
    await asyncio.get_running_loop().create_future()


def _handler(engine: Engine, handled: Handled, leads: tuple[str, ...]) -> Callable[..., Any]:
    def handle(state: dict[str, Any], error: Any) -> Any:
        # In a later run the reference has the text of what was raised alone.
        raised = error.error if isinstance(error.error, str) else repr(error.error)
        raised = raised.partition(" ")[0]  # not how long it took
        update = {"log": [f"{error.node} failed: {raised}"], "total": 1}
        if not leads or state.get("total", 0) >= handled.program.bound:
            return update
        return engine.Command(update=update, goto=leads)

    async def async_handle(state: dict[str, Any], error: Any) -> Any:
        return handle(state, error)

    chosen = async_handle if engine.asynchronous else handle
    chosen.__annotations__["error"] = engine.NodeError
    return chosen
