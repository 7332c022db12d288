"""Random graphs inside graphs whose nodes fail, with retries at every level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.parity import observe
from tests.parity.cases.failing import called
from tests.parity.cases.leaving import around, line
from tests.parity.engines import Engine

MOST_CALLS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """A node that fails its first `fails` attempts of all, and is tried up to `tries` times a run.

    With `inside` it is the graph of these, or (`called`) a function that calls it.
    """

    name: str
    fails: int = 0
    tries: int = 1
    inside: tuple[Step, ...] = ()
    called: bool = False
    lasts: bool | None = None


@st.composite
def trials(draw: st.DrawFn, levels: int = 3, prefix: str = "") -> tuple[Step, ...]:
    """One to three nodes one after the other, up to three levels deep."""
    count = draw(st.integers(1, 3))
    return tuple(_step(draw, levels, f"{prefix}{place}") for place in range(count))


def _step(draw: st.DrawFn, levels: int, place: str) -> Step:
    tries = draw(st.sampled_from([1, 1, 2, 3]))
    if levels == 1 or draw(st.booleans()):
        return Step(f"n{place}", draw(st.sampled_from([0, 0, 1, 2, 3])), tries)
    inside = draw(trials(levels - 1, f"{place}_"))
    lasts = draw(st.sampled_from([None, None, True]))
    return Step(f"g{place}", 0, tries, inside, draw(st.booleans()), lasts)


def run(engine: Engine, steps: tuple[Step, ...]) -> dict[str, Any]:
    """Invoke, and go on until nothing fails.

    How often each node failed and what came out is compared, not what ran beside it: the reference
    begins a graph anew in each attempt of the node around.
    """
    ran: Counter[str] = Counter()
    client = engine.compile(_assembled(engine, steps, around(engine), ran))
    calls: list[Any] = []
    given: Any = {"xs": ["in"]}
    while len(calls) < MOST_CALLS:
        outcome = observe.invoked(client, given)
        calls.append([outcome, observe.state(client.get_state(observe.thread())), dict(ran)])
        if "error" not in outcome:
            break
        given = None
    return {"calls": calls, "history": observe.history(client.history(observe.thread()))}


def _assembled(engine: Engine, steps: tuple[Step, ...], builder: Any, ran: Counter[str]) -> Any:
    previous = engine.START
    for step in steps:
        policy = engine.RetryPolicy(0.0001, max_attempts=step.tries, jitter=False)
        builder.add_node(step.name, _action(engine, step, ran), retry_policy=policy)
        builder.add_edge(previous, step.name)
        previous = step.name
    return builder


def _action(engine: Engine, step: Step, ran: Counter[str]) -> Callable[..., Any]:
    if not step.inside:
        return _failing(engine, step, ran)
    graph = _assembled(engine, step.inside, line(engine), ran).compile(checkpointer=step.lasts)
    action: Callable[..., Any] = called(engine, graph) if step.called else graph
    return action


def _failing(engine: Engine, step: Step, ran: Counter[str]) -> Callable[..., Any]:
    def node(state: Any) -> Any:
        if ran[step.name] < step.fails:
            ran[step.name] += 1
            raise ConnectionError(step.name)
        return {"xs": [step.name]}

    async def async_node(state: Any) -> Any:
        return node(state)

    return async_node if engine.asynchronous else node
