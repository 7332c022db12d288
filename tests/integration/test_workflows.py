"""Workflows on workers: what functions have returned outlives kills, questions and retries."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command
from tests.support.apps.served import ALL
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.celery
HASH = 16
"""So many characters name a frame inside a task in its keys."""
PATH = ["first", "second", "third"]
BOTH = pytest.mark.parametrize("name", ["tour", "atour"])


@BOTH
@pytest.mark.parametrize("dies", ["second", "body"])
def test_a_kill_costs_what_ran_and_no_function_that_had_returned(
    own_site: Callable[..., Site], thread_id: str, log: Path, name: str, dies: str
) -> None:
    site = own_site(lease=4.0)
    site.start(1, concurrency=1)
    done = site.graphs[name].invoke({"log": str(log), "dies": dies}, on(thread_id))
    assert done == {"path": PATH, "wide": [], "previous": None}
    again = {"second": [], "body": ["tour"]}[dies]
    assert Counter(lines(log)) == Counter(["tour"] * 4 + [*PATH, "body", dies, *again])


@BOTH
def test_an_answer_reaches_the_function_that_asked(
    shared: Site, thread_id: str, log: Path, name: str
) -> None:
    workflow = shared.graphs[name]
    asked = workflow.invoke({"log": str(log), "asks": "where?"}, on(thread_id))
    assert [question.value for question in asked["__interrupt__"]] == ["where?"]
    (task,) = workflow.get_state(on(thread_id)).tasks
    assert (task.name, len(task.interrupts)) == (name, 1)
    done = workflow.invoke(Command(resume="there"), on(thread_id))
    assert done["path"] == ["first", "second", "there"]
    assert Counter(lines(log)) == Counter(
        ["tour"] * 6 + ["first", "second", *["third"] * 2, "body"]
    )
    again = workflow.invoke({"log": str(log)}, on(thread_id))
    assert again["previous"] == done["path"]


@BOTH
def test_many_calls_at_once(shared: Site, thread_id: str, log: Path, name: str) -> None:
    done = shared.graphs[name].invoke({"log": str(log), "width": 200}, on(thread_id))
    assert done["wide"] == [2 * x for x in range(200)]


def test_a_workflow_inside_one_keeps_its_own_calls(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(lease=4.0)
    site.start(1, concurrency=1)
    given = {"log": str(log), "dies": "second", "asks": "where?"}
    asked = site.graphs["tours"].invoke(given, on(thread_id))
    assert asked["__interrupt__"][0].value == "where?"
    done = site.graphs["tours"].invoke(Command(resume="there"), on(thread_id))
    assert done["path"] == ["begin", "first", "second", "there", "end"]
    ran = Counter(lines(log))
    assert {name: ran[name] for name in ("begin", "first", "second", "third", "end")} == {
        "begin": 1,
        "first": 1,
        "second": 2,
        "third": 2,
        "end": 1,
    }


def test_a_frozen_worker_keeps_nothing_when_it_wakes(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site(lease=4.0)
    frozen, *_ = site.start(1, concurrency=1)
    workflow, gate = site.graphs["tour"], tmp_path / "gate"
    run = workflow.submit({"log": str(log), "gate": str(gate)}, on(thread_id))
    wait_until(lambda: "second" in lines(log), "the second function to run")
    with frozen.paused():
        gate.touch()
        site.start(1, concurrency=1)
        assert run.result(timeout=PATIENCE)["path"] == PATH
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), "its leases to be gone")
    assert workflow.get_state(on(thread_id)).values["path"] == PATH
    assert Counter(lines(log))["first"] == 1


def test_what_functions_have_returned_goes_with_their_superstep(
    shared: Site, thread_id: str, log: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    given = {"log": str(log), "width": 20, "gate": str(gate)}
    run = shared.graphs["tour"].submit(given, on(thread_id))
    wait_until(lambda: "second" in lines(log), "the second function to run")
    assert _inside(shared, thread_id) != set()
    gate.touch()
    run.result(timeout=PATIENCE)
    assert _inside(shared, thread_id) == set()


def _inside(site: Site, thread_id: str) -> set[str]:
    """Return which kinds of keys there are of frames inside tasks."""
    thread = site.backend.thread_key(thread_id)
    with site.store.client() as client:
        found = client.scan_iter(f"{site.namespace}{{*}}:{thread.x}:*", count=1000)
        ends = (key.decode().partition(f"{thread.x}:")[2] for key in found)
        return {end.partition(":")[0] for end in ends if len(end.partition(":")[2]) == HASH}


def test_the_same_with_a_saver_as_on_workers(
    shared: Site, redis_server: RedisServer, thread_id: str, log: Path
) -> None:
    namespace = f"t-{uuid.uuid4().hex[:16]}"
    with RedisSaver.from_conn_string(redis_server.url, namespace=namespace) as saver:
        here = ALL["tour"]().compile(name="tour", checkpointer=saver)
        seen = [_seen(each, thread_id, log) for each in (here, shared.graphs["tour"])]
    assert seen[0] == seen[1]
    assert Counter(lines(log)) == Counter(
        {"tour": 2 + 6, "first": 2, "second": 2, "third": 4, "body": 2}
    )


@BOTH
@pytest.mark.parametrize("subgraphs", [False, True])
def test_streams_show_what_functions_return_as_in_process(
    shared: Site, thread_id: str, log: Path, name: str, subgraphs: bool
) -> None:
    here = ALL[name]().compile(name=name, checkpointer=InMemorySaver())
    seen: list[list[Any]] = []
    for workflow in (here, shared.graphs[name]):
        seen.append([])
        for given in ({"log": str(log), "asks": "where?"}, Command(resume="there")):
            seen[-1] += _chunks(workflow, given, thread_id, subgraphs)
    assert seen[1] == seen[0]


def _chunks(workflow: Any, given: Any, thread_id: str, subgraphs: bool) -> list[Any]:
    """Return what a run streams, in process or on workers, but ids and the order of keys."""
    options = {"stream_mode": ["updates", "tasks"], "subgraphs": subgraphs}
    steps = workflow.stream if workflow.graph.name != "atour" else partial(_streamed, workflow)
    return [_plain(chunk) for chunk in steps(given, on(thread_id), **options)]


def _streamed(workflow: Any, *given: Any, **options: Any) -> list[Any]:
    async def gather() -> list[Any]:
        return [chunk async for chunk in workflow.astream(*given, **options)]

    return asyncio.run(gather())


def _plain(chunk: Any) -> Any:
    *place, told = chunk
    shown = {k: v for k, v in told.items() if k not in ("id", "interrupts", "__interrupt__")}
    return [*place, shown]


def _seen(workflow: Any, thread_id: str, log: Path) -> list[Any]:
    """Return what is to be seen of a thread that is asked and answered."""
    workflow.invoke({"log": str(log), "asks": "where?"}, on(thread_id))
    waiting = workflow.get_state(on(thread_id))
    workflow.invoke(Command(resume="there"), on(thread_id))
    past = workflow.get_state_history(on(thread_id))
    shown = [(s.metadata["source"], s.metadata["step"], s.next, s.values) for s in past]
    return [waiting.next, len(waiting.interrupts), shown]
