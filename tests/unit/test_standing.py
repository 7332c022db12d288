"""What `distgraph show` says of a superstep, which is what `get_state` says of it."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import pytest
from rich.text import Text

from distgraph.graph import START, StateGraph
from distgraph.types import Send, interrupt
from tests.support.jobs import Bench, on
from tests.support.redis_server import RedisServer
from workers.cli.standing import Stand, counted, failures_of, stands, told
from workers.worker import jobs

pytestmark = pytest.mark.redis


class State(TypedDict):
    xs: Annotated[list[int], operator.add]


def each(number: int) -> Any:
    """Fail for even numbers, each time in the same words; ask for 5."""
    if number % 2 == 0:
        raise ValueError("even")
    return {"xs": [interrupt("five?") if number == 5 else number]}


def fan(width: int) -> Any:
    builder = StateGraph(State).add_node("each", each)
    return builder.add_conditional_edges(START, lambda _: [Send("each", n) for n in range(width)])


@pytest.fixture
def bench(redis_server: RedisServer, namespace: str) -> Bench:
    return Bench(redis_server, namespace)


def stood(bench: Bench) -> tuple[Stand, Any]:
    header = bench.backend.ledger.header(bench.backend.thread_key("t"))
    assert header is not None
    return stands(bench.backend, header, bench.backend.thread("t").state), header


def text(lines: Any) -> str:
    return "\n".join(line.plain for line in lines if isinstance(line, Text))


def test_a_superstep_is_counted_as_get_state_counts(bench: Bench) -> None:
    graph = fan(7).compile(name="g", backend=bench.backend)
    graph.submit({}, on("t"))
    hint = bench.hint()
    assert stood(bench)[0].counts == {"to do": 7}
    for tid in hint.tids:
        jobs.step(bench.office, replace(hint, tids=(tid,)))
    standing, header = stood(bench)
    snapshot = graph.get_state(on("t"))
    assert standing.counts == {"failed": 1, "to do": 6}
    assert standing.next == list(snapshot.next)
    assert dict(standing.values) == snapshot.values
    failures = failures_of(bench.backend, header, standing)
    assert {failure.node for failure in failures} == {"each"}
    assert "node 'each' failed: ValueError: even" in text(told(failures))
    assert 'raise ValueError("even")' in text(told(failures))


def test_what_finished_tasks_wrote_needs_the_graph(
    bench: Bench, namespace: str, redis_server: RedisServer
) -> None:
    graph = fan(6).compile(name="g", backend=bench.backend)
    graph.submit({}, on("t"))
    hint = bench.hint()
    for tid in (*hint.tids[1::2], *hint.tids[::2]):
        jobs.step(bench.office, replace(hint, tids=(tid,)))
    known, _ = stood(bench)
    assert known.values == graph.get_state(on("t")).values == {"xs": [1, 3]}
    unknown, _ = stood(Bench(redis_server, namespace))
    assert unknown.counts == known.counts
    assert unknown.next == known.next
    assert unknown.values.get("xs", []) == []


def test_the_failure_of_a_superstep_is_shown_too(bench: Bench) -> None:
    builder: Any = StateGraph(State).add_node("a", lambda _: {"xs": 5}).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({"xs": [1]}, on("t"))
    jobs.step(bench.office, bench.hint())
    standing, header = stood(bench)
    (failure,) = failures_of(bench.backend, header, standing)
    assert failure.node == ""
    assert "the superstep failed: TypeError: " in failure.line


def test_counts_read_well_and_equal_failures_are_shown_once(bench: Bench) -> None:
    assert counted({"done": 1_596, "failed": 4}) == "1,596 done, 4 failed"
    assert counted({}) == "-"
    fan(3).compile(name="g", backend=bench.backend).submit({}, on("t"))
    jobs.step(bench.office, bench.hint())
    standing, header = stood(bench)
    (first, *_) = failures_of(bench.backend, header, standing)
    many = text(told([first] * 1_600))
    assert "(1,600 times)" in many
    assert many.count("Traceback") == 1
    others = [
        replace(first, error=replace(first.error, message=f"other {n}\n" + "x" * 10_000))
        for n in range(9)
    ]
    shown = text(told(others))
    assert "and 6 others: see --json" in shown
    assert max(map(len, shown.splitlines())) < 1_000
