"""What the modes checkpoints and debug yield, and all modes as parts of version "v2"."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from tests.parity.cases.common import Log, add, chain, compiled_chain
from tests.parity.cases.interrupts import asking
from tests.parity.engines import Client, Engine
from tests.parity.observe import outcome, shown, thread

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+")
Shown = list[Any]


def _told(chunks: Any) -> Any:
    """`chunks` with each id replaced by its number, and times by a word."""
    known: dict[str, str] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() >= {"value", "id"}:
                return {"question": value["value"]}
            return {plain(key): plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(map(plain, value))
        if not isinstance(value, str):
            return shown(value)
        named = _ID.sub(lambda id_: known.setdefault(id_[0], f"<{len(known)}>"), value)
        return _TIME.sub("<time>", named)

    return plain(chunks)


def _streams(client: Client, *given: Any, **options: Any) -> Shown:
    return [
        outcome(lambda one=one: _told(client.stream(one, thread(), **options)))  # type: ignore[misc]
        for one in given
    ]


def case_checkpoints(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b")
    return _streams(client, {"xs": ["in"]}, {"xs": ["again"]}, stream_mode="checkpoints")


def case_checkpoints_beside_the_other_modes(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    modes = ["checkpoints", "updates", "values", "tasks"]
    given = ({"xs": ["in"]}, engine.Command(resume="r"))
    return _streams(client, *given, stream_mode=modes)


def case_debug(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    given = ({"xs": ["in"]}, engine.Command(resume="r"), None)
    return _streams(client, *given, stream_mode="debug")


def case_debug_of_a_failure(engine: Engine) -> Any:
    def fails(state: Any) -> Any:
        raise ValueError("no")

    client = compiled_chain(engine, "a", "b", b=fails)
    failed: Shown = []
    for _ in range(2):
        given = {"xs": ["in"]} if not failed else None
        failed.append(_until_it_fails(client, given))
    return failed


def _until_it_fails(client: Client, given: Any) -> Any:
    return outcome(lambda: client.stream(given, thread(), stream_mode="debug"))


def case_checkpoints_at_breakpoints(engine: Engine) -> Any:
    builder = chain(engine, "a", "b", "c")
    client = engine.compile(builder, interrupt_before=["b"], interrupt_after=["b"])
    return _streams(client, {"xs": ["in"]}, None, None, stream_mode=["checkpoints", "updates"])


def case_checkpoints_of_an_update(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", "b"), interrupt_before=["b"])
    client.invoke({"xs": ["in"]}, thread())
    client.update_state(thread(), {"xs": ["mine"]})
    return _streams(client, None, stream_mode=["checkpoints", "values"])


def case_checkpoints_of_graphs_inside(engine: Engine) -> Any:
    results = []
    for name in ("1", "2"):
        inner = chain(engine, "i", "j", j=asking(engine, "deep")).compile()
        builder = chain(engine, "a", "b", b=inner)
        client = engine.compile(builder)
        options = {"stream_mode": ["checkpoints", "debug"], "subgraphs": name == "2"}
        given = ({"xs": ["in"]}, engine.Command(resume="r"))
        results += [_told(client.stream(one, thread(name), **options)) for one in given]
    return results


def case_checkpoints_of_sends(engine: Engine) -> Any:
    builder = engine.StateGraph(Log).add_node("w", lambda _: {"xs": ["w"]})
    builder.add_conditional_edges(engine.START, lambda _: [engine.Send("w", 1)], ["w"])
    return _streams(engine.compile(builder), {}, stream_mode=["checkpoints", "debug"])


def case_parts_of_each_mode(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    modes = ["values", "updates", "tasks", "checkpoints", "debug", "custom"]
    given = ({"xs": ["in"]}, engine.Command(resume="r"))
    results: Shown = _streams(client, *given, stream_mode=modes, version="v2")
    return [*results, *_streams(client, {}, stream_mode="values", version="v2", subgraphs=True)]


def case_results_of_version_two(engine: Engine) -> Any:
    client = compiled_chain(engine, "a", "b", b=asking(engine, "q"))
    results = []
    for given in ({"xs": ["in"]}, engine.Command(resume="r")):
        made = client.invoke(given, thread(), version="v2")
        results.append((shown(made.value), shown(made.interrupts)))
    made = client.invoke({}, thread("2"), version="v2", output_keys=["xs"])
    parts = client.invoke({}, thread("3"), version="v2", stream_mode=["updates", "values"])
    return [*results, shown(made.value), shown(parts)]


@dataclass
class Counted:
    n: Annotated[int, operator.add] = 0
    note: str = ""


class Note(TypedDict, total=False):
    note: str


def case_a_class_is_made_in_version_two(engine: Engine) -> Any:
    builder = engine.StateGraph(Counted).add_node("a", lambda _: {"n": 2, "note": "done"})
    client = engine.compile(builder.add_edge(engine.START, "a"))
    modes = ("values", "updates", "checkpoints", "debug", "tasks")
    results = [
        client.invoke({"n": 1}, thread("1"), version="v2").value,
        *(client.stream({"n": 1}, thread(one), stream_mode=one, version="v2") for one in modes),
    ]
    kept = client.invoke({"n": 1}, thread("2"))
    return [_told(results), type(results[0]).__name__, kept]


def case_an_output_schema_is_made_in_version_two(engine: Engine) -> Any:
    builder = engine.StateGraph(Note, output_schema=Counted)
    builder.add_node("a", lambda _: {"n": 2, "note": "done"}).add_edge(engine.START, "a")
    client = engine.compile(builder)
    results = client.stream({}, thread("1"), stream_mode=["values"], version="v2")
    return [_told(results), shown(client.invoke({}, thread("2"), version="v2").value)]


def case_what_is_printed_is_no_chunk(engine: Engine) -> Any:
    client = engine.compile(chain(engine, "a", a=add("x")))
    return [
        client.stream({}, thread("1"), print_mode=["values"], stream_mode="updates"),
        client.invoke({}, thread("2"), print_mode="updates"),
        client.invoke({}, thread("3"), debug=True),
    ]
