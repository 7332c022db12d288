"""Runs a random program to its end and records everything that can be seen of it."""

from __future__ import annotations

from typing import Any

from tests.parity import observe
from tests.parity.engines import Client, Engine
from tests.parity.programs import Program, build

MOST_CALLS = 14
MOST_ERRORS = 5
"""A thread that still fails after this many runs is given up."""


def run(engine: Engine, program: Program) -> dict[str, Any]:
    """Invoke, answer, go on after stops and failures; the calls, the states, the history."""
    client = build(engine, program)
    calls: list[Any] = []
    given: Any = {"log": ["in"]}
    while len(calls) < MOST_CALLS:
        failures = sum("error" in call["outcome"] for call in calls)
        calls.append(_call(client, program, given, failures))
        if _is_over(calls):
            break
        given = _next_input(engine, client, program, calls[-1])
    return {"calls": calls, "history": observe.history(client.history(observe.thread()))}


def _call(client: Client, program: Program, given: Any, failures: int) -> dict[str, Any]:
    config = {
        "configurable": {"thread_id": "t", "failures": failures},
        "recursion_limit": program.limit,
    }
    stops = {"interrupt_before": list(program.before), "interrupt_after": list(program.after)}
    seen = observe.outcome(lambda: client.invoke(given, config, **stops))
    if "error" in seen:
        # How far the siblings of a failed task got is chance; once a later call has finished
        # the superstep the history shows them all.
        return {"outcome": seen}
    snapshot = client.get_state(observe.thread())
    return {"outcome": seen, "state": observe.state(snapshot)}


def _is_over(calls: list[Any]) -> bool:
    errors = [call["outcome"]["error"] for call in calls if "error" in call["outcome"]]
    if len(errors) >= MOST_ERRORS or any(name == "InvalidUpdateError" for name, _ in errors):
        return True
    return "state" in calls[-1] and not calls[-1]["state"]["next"]


def _next_input(engine: Engine, client: Client, program: Program, last: dict[str, Any]) -> Any:
    if "state" not in last:
        return None
    pending = observe.waiting(client.get_state(observe.thread()))
    if not pending:
        return None
    # The reference keeps a bare answer at the checkpoint, so that after a failure it would
    # answer the next question too; distgraph binds it to one question.
    if len(pending) == 1 and not program.can_fail:
        return engine.Command(resume=_answer(pending[0]))
    chosen = pending if program.answers_all else pending[:1]
    return engine.Command(resume={one.id: _answer(one) for one in chosen})


def _answer(interrupt: Any) -> str:
    return f"yes to {interrupt.value}"
