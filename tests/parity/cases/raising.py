"""Interrupts that nodes raise themselves, in a graph and in graphs inside it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tests.parity.cases.common import add
from tests.parity.cases.leaving import around, line
from tests.parity.cases.pausing import deeper, run
from tests.parity.engines import Engine


def raising(engine: Engine, until: int, after: bool = False) -> Callable[[Any], Any]:
    """A node that raises an interrupt of its own while the sum is less than `until`."""

    def node(state: Any) -> Any:
        answer = [engine.interrupt("first")] if after else []
        if state.get("total", 0) < until:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                raise engine.NodeInterrupt(f"wants {until}")
        return {"xs": ["done", *answer]}

    async def async_node(state: Any) -> Any:
        return node(state)

    return async_node if engine.asynchronous else node


def case_what_was_raised_is_raised_again_until_the_state_is_another(engine: Engine) -> Any:
    client = engine.compile(around(engine, "asks", asks=raising(engine, 2)))
    seen = run(client, {"total": 1}, None, engine.Command(resume="nobody hears it"))
    return [seen, run(client, engine.Command(update={"total": 1}))]


def case_what_was_raised_inside_is_shown_around(engine: Engine) -> Any:
    seen = []
    for levels in (0, 1):
        inside = line(engine, one=add("one"), asks=raising(engine, 2)).compile()
        client = engine.compile(around(engine, "sub", sub=deeper(engine, inside, levels)))
        seen.append(run(client, {"total": 0}, None))
    return seen


def case_a_raised_interrupt_after_a_question(engine: Engine) -> Any:
    client = engine.compile(around(engine, "asks", asks=raising(engine, 2, after=True)))
    return run(client, {"total": 1}, engine.Command(resume="yes"))


def case_a_raised_interrupt_beside_siblings(engine: Engine) -> Any:
    nodes = {"asks": raising(engine, 2), "done": add("done")}
    return run(engine.compile(around(engine, *nodes, **nodes)), {"total": 1}, None)


def case_a_blocking_node_raises(engine: Engine) -> Any:
    def node(state: Any) -> Any:
        raise engine.GraphInterrupt([engine.Interrupt("mine")])

    return run(engine.compile(around(engine, "asks", asks=node)), {"total": 1}, None)
