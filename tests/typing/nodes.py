"""What type checkers find in nodes: where they go, what they update, what their context is."""

from __future__ import annotations

from typing import Literal, assert_type

from distgraph.graph import StateGraph
from distgraph.runtime import Runtime, get_runtime
from distgraph.types import Command
from tests.typing.schemas import Context, State


def here(_: State, runtime: Runtime[Context]) -> Command[Literal["there"], State]:
    assert_type(runtime.context, Context)
    assert_type(get_runtime(Context).context.user, str)
    runtime.context.usr  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return Command(goto="there", update={"count": 1})


def there(state: State) -> Command[Literal["here"], State]:
    if state.get("count"):
        return Command(goto="hree")  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]
    return Command(update={"cuont": 1})  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def over(_: State) -> Command[Literal["here", "there"]]:
    return Command(goto=["here", "there"], update={"anything": 1})


StateGraph(State, Context).add_node(here).add_node(there).add_node(over)
StateGraph(State, 3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
