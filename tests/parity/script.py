"""Runs a random program to its end and records everything that can be seen of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
    calls = drive(engine, client, Course(program), {"log": ["in"]})
    return {"calls": calls, "history": observe.history(client.history(observe.thread()))}


def run_again(engine: Engine, program: Program, place: int, edit: bool) -> dict[str, Any]:
    """As `run`, then once more from an older checkpoint, `edit`ed first or as it is.

    `place` counts checkpoints from the newest, around the end.
    """
    client = build(engine, program)
    first = drive(engine, client, Course(program), {"log": ["in"]})
    found = client.history(observe.thread())
    old = found[place % len(found)].config
    edited = None
    if edit:
        edited = observe.outcome(lambda: _edit(client, old))
        again = drive(engine, client, Course(program), None)
    else:
        again = drive(engine, client, Course(program), None, old)
    after = observe.history(client.history(observe.thread()))
    return {"first": first, "edited": edited, "again": again, "history": after}


def _edit(client: Client, old: observe.Config) -> None:
    client.update_state(old, {"log": ["edit"], "last": "edit"})


def stream(engine: Engine, program: Program) -> list[Any]:
    """The chunks of a program that neither asks nor fails, from stop to stop."""
    client = build(engine, program)
    given: Any = {"log": ["in"]}
    seen: list[Any] = []
    while len(seen) < MOST_CALLS:
        seen.append(observe.outcome(partial(_chunks, client, program, given)))
        if "error" in seen[-1] or not client.get_state(observe.thread()).next:
            break
        given = None
    return seen


def _chunks(client: Client, program: Program, given: Any) -> list[Any]:
    modes = ["values", "updates"]
    config = _config(program, 0)
    return observe.steps_sorted(client.stream(given, config, stream_mode=modes, **_stops(program)))


@dataclass(frozen=True, slots=True)
class Course:
    """How a thread is driven: `edit` may change what waits, and says whether it did.

    `failed` is called after each call that failed. `ends`: the errors after which the thread is
    left as it is.
    """

    program: Program
    edit: Callable[[], bool] = lambda: False
    ends: tuple[str, ...] = ("InvalidUpdateError",)
    failed: Callable[[], None] = lambda: None


def drive(
    engine: Engine, client: Client, course: Course, given: Any, start: observe.Config | None = None
) -> list[Any]:
    """Invoke, answer and go on until the end."""
    calls: list[Any] = []
    while len(calls) < MOST_CALLS:
        failures = sum("error" in call["outcome"] for call in calls)
        config = _config(course.program, failures, start)
        calls.append(_call(client, given, config, course.program))
        if "error" in calls[-1]["outcome"]:
            course.failed()
        if _is_over(calls, course.ends):
            break
        given, start = _next_input(engine, client, course.program, calls[-1]), None
        if "state" in calls[-1] and course.edit():
            given = None
    return calls


def _config(program: Program, failures: int, start: observe.Config | None = None) -> observe.Config:
    place = (start or observe.thread())["configurable"]
    return {"configurable": {**place, "failures": failures}, "recursion_limit": program.limit}


def _stops(program: Program) -> dict[str, list[str]]:
    return {"interrupt_before": list(program.before), "interrupt_after": list(program.after)}


def _call(client: Client, given: Any, config: observe.Config, program: Program) -> dict[str, Any]:
    seen = observe.invoked(client, given, config, **_stops(program))
    if "error" in seen:
        # How far the siblings of a failed task got is chance; once a later call has finished
        # the superstep the history shows them all.
        return {"outcome": seen}
    return {"outcome": seen, "state": observe.state(client.get_state(observe.thread()))}


def _is_over(calls: list[Any], ends: tuple[str, ...]) -> bool:
    errors = [call["outcome"]["error"] for call in calls if "error" in call["outcome"]]
    if len(errors) >= MOST_ERRORS or any(name in ends for name, _ in errors):
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
