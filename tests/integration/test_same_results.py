"""On workers a graph gives what it gives in this process: values, history, questions, chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis import keys
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command, Interrupt
from tests.support.apps.programs import HOUR
from tests.support.apps.served import ALL
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
Calls = Callable[[Any, dict[str, Any]], Any]


def plain(value: Any) -> Any:
    """`value` without what differs by nature: ids of questions and checkpoints."""
    match value:
        case Interrupt():
            return ("asks", plain(value.value))
        case dict():
            return {k: plain(v) for k, v in value.items()}
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(plain(v) for v in value)
    return value


def history(graph: Any, config: Any) -> list[Any]:
    return [
        (
            plain(s.values),
            s.next,
            s.metadata["source"],
            s.metadata["step"],
        )
        for s in graph.get_state_history(config)
    ]


def seen(graph: Any, config: Any, calls: Calls) -> Any:
    """Return what the calls gave, and the thread's history and head after them."""
    gave = plain(calls(graph, config))
    head = graph.get_state(config)
    tasks = [(t.name, plain(t.result), plain(t.interrupts), t.error) for t in head.tasks]
    return gave, history(graph, config), tasks


def answer_by_id(graph: Any, config: Any) -> Any:
    asked = graph.invoke({"asked": ["x", "y", "z"]}, config)["__interrupt__"]
    ids = {i.value: i.id for i in asked}
    first = graph.invoke(Command(resume={ids["y"]: "Y"}), config)
    assert {i.id for i in first["__interrupt__"]} == {ids["x"], ids["z"]}
    values = sorted(i.value for i in first.pop("__interrupt__"))
    return values, graph.invoke(Command(resume={ids["x"]: "X", ids["z"]: "Z"}), config)


def answer_last(graph: Any, config: Any) -> Any:
    """Answer what was asked last, until nothing is."""

    def call(given: Any) -> Any:
        return asyncio.run(graph.ainvoke(given, config))

    gave = [call({})]
    while asked := gave[-1].get("__interrupt__"):
        gave.append(call(Command(resume={asked[-1].id: f"{asked[-1].value}{len(gave)}"})))
    return gave


def fill_in(graph: Any, config: Any) -> Any:
    return [
        graph.invoke({}, config),
        graph.invoke(Command(resume="old"), config),
        graph.invoke(Command(resume=7), config),
        graph.invoke(Command(resume="Ada"), config),
    ]


def approve(graph: Any, config: Any) -> Any:
    return [
        graph.invoke({"request": "r"}, config),
        graph.get_state(config).next,
        graph.invoke(Command(resume={"ok": True}), config),
    ]


def ask_again(graph: Any, config: Any) -> Any:
    return [graph.invoke({}, config), graph.invoke(None, config), graph.get_state(config).next]


def stop_on_call(graph: Any, config: Any) -> Any:
    return [
        graph.invoke({"path": []}, config, interrupt_before=["b"]),
        graph.get_state(config).next,
        graph.invoke(None, config, interrupt_after=["b"]),
        graph.get_state(config).next,
        graph.invoke(None, config),
    ]


def edit_and_go_on(graph: Any, config: Any) -> Any:
    graph.invoke({"path": []}, config, interrupt_before=["c"])
    graph.update_state(config, {"path": ["edited"]}, as_node="b")
    return graph.get_state(config).next, graph.invoke(None, config)


def replay_and_fork(graph: Any, config: Any) -> Any:
    graph.invoke({"path": []}, config)
    old = next(s for s in graph.get_state_history(config) if s.next == ("b",))
    replayed = graph.invoke(None, old.config)
    forked = graph.update_state(old.config, {"path": ["forked"]}, as_node="a")
    return replayed, graph.invoke(None, forked)


def two_runs(graph: Any, config: Any) -> Any:
    return graph.invoke({"path": ["x"]}, config), graph.invoke({"path": ["y"]}, config)


def jump(graph: Any, config: Any) -> Any:
    graph.invoke({"path": ["x"]}, config)
    return graph.invoke(Command(goto="c", update={"path": ["u"]}), config)


def update_with_answer(graph: Any, config: Any) -> Any:
    graph.invoke({"request": "r"}, config)
    return graph.invoke(Command(resume="yes", update={"request": "changed"}), config)


def stream_all(graph: Any, config: Any) -> Any:
    modes = ["values", "updates", "tasks", "custom"]
    chunks = list(graph.stream({"path": []}, config, stream_mode=modes))
    return [(m, {k: v for k, v in c.items() if k != "id"}) for m, c in chunks]


def stream_question(graph: Any, config: Any) -> Any:
    return [
        list(graph.stream({"request": "r"}, config, stream_mode="updates")),
        list(graph.stream(Command(resume=1), config, stream_mode=["values", "updates"])),
    ]


def run(graph: Any, config: Any) -> Any:
    return graph.invoke({"path": []}, config)


def run_on_a_loop(graph: Any, config: Any) -> Any:
    return asyncio.run(graph.ainvoke({"path": []}, config))


CASES: dict[str, tuple[str, Calls]] = {
    "a question is asked and answered": ("approval", approve),
    "a question is asked again": ("approval", ask_again),
    "an update comes with the answer": ("approval", update_with_answer),
    "a question is streamed and answered": ("approval", stream_question),
    "a form asks until it is content": ("form", fill_in),
    "parallel questions are answered by id": ("panel", answer_by_id),
    "nodes ask several things at once": ("at-once", answer_last),
    "stops named by the call": ("steps", stop_on_call),
    "an edit at a stop": ("steps", edit_and_go_on),
    "a replay and a fork": ("steps", replay_and_fork),
    "two runs of one thread": ("steps", two_runs),
    "a jump from outside": ("steps", jump),
    "all streams of steps": ("steps", stream_all),
    "custom chunks": ("chat", stream_all),
    "coroutine nodes": ("coroutines", run_on_a_loop),
    "a graph as a node asks": ("nested", approve),
    "a graph called in a node asks": ("calling", approve),
    "a nested graph sends its parent on": ("escaping", run),
    "a fan-out": ("fan", lambda graph, config: graph.invoke({"width": 40}, config)),
    "an empty fan-out": ("fan", lambda graph, config: graph.invoke({"width": 0}, config)),
}


@pytest.mark.parametrize("case", CASES)
def test_workers_give_what_this_process_gives(shared: Site, thread_id: str, case: str) -> None:
    name, calls = CASES[case]
    here = ALL[name]().compile(name=name, checkpointer=InMemorySaver())
    on_workers = seen(shared.graphs[name], on(thread_id), calls)
    assert on_workers == seen(here, on(thread_id), calls)


@pytest.mark.parametrize("case", CASES)
def test_jobs_that_are_done_at_once_give_what_this_process_gives(
    redis_server: RedisServer, namespace: str, case: str
) -> None:
    name, calls = CASES[case]
    here = ALL[name]().compile(name=name, checkpointer=InMemorySaver())
    backend = CeleryBackend(redis_server.url, broker="memory://", namespace=namespace)
    backend.app.conf.task_always_eager = True
    eager = ALL[name]().compile(name=name, backend=backend)
    assert seen(eager, on("t"), calls) == seen(here, on("t"), calls)


async def test_an_event_loop_sees_the_same(shared: Site, thread_id: str) -> None:
    graph, config = shared.graphs["approval"], on(thread_id)
    asked = await graph.ainvoke({"request": "r"}, config)
    assert plain(asked["__interrupt__"]) == [("asks", {"approve": "r"})]
    chunks = [c async for c in graph.astream(Command(resume="ok"), config, stream_mode="updates")]
    assert [next(iter(chunk)) for chunk in chunks] == ["approve", "publish"]
    state = await graph.aget_state(config)
    assert state.values["path"] == ["prepare", "approve", "publish"]
    steps = [s.metadata["step"] async for s in graph.aget_state_history(config)]
    assert steps == [3, 2, 1, 0, -1]


def due_key(site: Site, thread_id: str) -> str:
    return keys.due(site.namespace, site.backend.thread_key(thread_id).shard)


def back_off(site: Site, thread_id: str) -> tuple[bytes, float] | None:
    """Return the entry of a thread's pause before a retry, and how many seconds are left."""
    x = site.backend.thread_key(thread_id).x.encode()
    with site.store.client() as client:
        now, _ = client.time()
        entries: Any = client.zrange(due_key(site, thread_id), 0, -1, withscores=True)
    for member, score in entries:
        if member.startswith(x) and member.endswith(b"|b"):
            return member, score / 1_000 - now
    return None


def begun(times: int, log: Path) -> bool:
    return len(lines(log)) == times


def test_a_failed_attempt_is_repeated_after_its_pause(
    shared: Site, thread_id: str, log: Path
) -> None:
    run = shared.graphs["retry"].submit({"log": str(log)}, on(thread_id))
    for hours in (1, 2):
        pause = wait_until(lambda: back_off(shared, thread_id), "a pause")
        assert pause is not None
        member, left = pause
        assert round(left / HOUR) == hours
        assert len(lines(log)) == hours
        with shared.store.client() as client:
            client.zadd(due_key(shared, thread_id), {member: 0})
        wait_until(partial(begun, hours + 1, log), "the next attempt")
    assert run.result(timeout=PATIENCE)["path"] == ["done"]


def test_a_run_is_told_its_config_and_context(shared: Site, thread_id: str) -> None:
    config = {"configurable": {"thread_id": thread_id, "colour": "red"}}
    done = shared.graphs["told"].invoke({}, config, context={"tenant": "acme"})
    assert done["seen"] == ["red", "acme", thread_id]
