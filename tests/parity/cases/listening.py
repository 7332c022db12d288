"""Handlers that hear when a run stops and when it goes on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from tests.parity.engines import Client, Engine
from tests.parity.observe import error, thread

RUN = UUID(int=7)


class Count(TypedDict, total=False):
    n: int


def _heard(engine: Engine, *, waits: bool = False) -> Any:
    """Return a handler and the list of what it hears of root runs, as plain values."""
    heard: list[Any] = []
    places: dict[str, int] = {}

    def note(event: Any) -> None:
        if event.checkpoint_ns == ():  # the reference tells who goes on inside as well
            asked = sorted(each.value for each in getattr(event, "interrupts", ()))
            place = places.setdefault(event.checkpoint_id, len(places))
            heard.append((type(event).__name__, event.status, asked, place, event.run_id == RUN))

    async def note_waiting(_: Any, event: Any) -> None:
        note(event)

    def note_at_once(_: Any, event: Any) -> None:
        note(event)

    told = note_waiting if waits else note_at_once
    return type("Hearing", (engine.GraphCallbackHandler,), _both(told))(), heard


def _both(told: Any) -> dict[str, Any]:
    return {"on_interrupt": told, "on_resume": told}


def _asking(engine: Engine) -> Any:
    def ask(_: Count) -> Count:
        return {"n": engine.interrupt("first") + engine.interrupt("second")}

    return ask


def _add(state: Count) -> Count:
    return {"n": state["n"] + 1}


def _chain(engine: Engine, *nodes: Any) -> Any:
    builder, previous = engine.StateGraph(Count), engine.START
    for number, node in enumerate(nodes):
        builder.add_node(f"n{number}", node).add_edge(previous, f"n{number}")
        previous = f"n{number}"
    return builder


def _asked_and_answered(engine: Engine, client: Client, *, waits: bool = False) -> Any:
    handler, heard = _heard(engine, waits=waits)
    config = thread(callbacks=[handler])
    client.invoke({"n": 0}, config)
    client.invoke(None, config)
    client.invoke(engine.Command(resume=1), {**config, "run_id": RUN})
    done = client.invoke(engine.Command(resume=2), config)
    client.invoke({"n": 5}, config)
    return heard, done


def case_questions_are_heard_of(engine: Engine) -> Any:
    return _asked_and_answered(engine, engine.compile(_chain(engine, _add, _asking(engine))))


def case_questions_of_a_graph_inside_are_heard_of_once(engine: Engine) -> Any:
    inner = _chain(engine, _asking(engine)).compile()
    return _asked_and_answered(engine, engine.compile(_chain(engine, inner, _add)))


def case_what_hears_may_be_awaited(engine: Engine) -> Any:
    client = engine.compile(_chain(engine, _asking(engine)))
    return _asked_and_answered(engine, client, waits=engine.asynchronous)


def case_breakpoints_are_heard_of(engine: Engine) -> Any:
    stops: Any = {"interrupt_before": ["n1"], "interrupt_after": ["n1"]}
    client = engine.compile(_chain(engine, _add, _add, _add), **stops)
    handler, heard = _heard(engine)
    config = thread(callbacks=[handler])
    for given in ({"n": 0}, None, None):
        client.invoke(given, config)
    return heard


def case_what_was_written_from_outside_goes_on(engine: Engine) -> Any:
    client = engine.compile(_chain(engine, _add, _add))
    handler, heard = _heard(engine)
    client.invoke({"n": 0}, thread())
    client.update_state(thread(), {"n": 7}, as_node="n0")
    return client.invoke(None, thread(callbacks=[handler])), heard


def _deaf(engine: Engine, **own: Any) -> Any:
    def fail(_: Any, event: Any) -> None:
        raise ValueError(type(event).__name__)

    return type("Deaf", (engine.GraphCallbackHandler,), {**own, **_both(fail)})()


def case_what_a_handler_raises_harms_nobody(engine: Engine) -> Any:
    client = engine.compile(_chain(engine, _asking(engine)))
    handler, heard = _heard(engine)
    config = thread(callbacks=[_deaf(engine), handler])
    client.invoke({"n": 0}, config)
    client.invoke(engine.Command(resume=1), config)
    return client.invoke(engine.Command(resume=2), config), heard


def case_a_handler_may_insist_on_what_it_raises(engine: Engine) -> Any:
    client = engine.compile(_chain(engine, _asking(engine)))
    config = thread(callbacks=[_deaf(engine, raise_error=True)])
    try:
        client.invoke({"n": 0}, config)
    except ValueError as raised:
        return error(raised), client.get_state(thread()).next
    return None
