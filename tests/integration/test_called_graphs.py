"""Graphs that are called inside tasks of workers: what a kill, a question, a run leaves of them."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
import redis

from checkpoint_redis.ledger import Ledger
from checkpoint_redis.saver import RedisSaver
from distgraph.errors import ThreadBusy
from distgraph.graph import END, START, StateGraph
from distgraph.types import Command, Send, interrupt
from tests.support.apps.called import descent
from tests.support.redis_server import RedisServer
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
# A graph that is a node gives back what it was given, too.
DESCENT = ["begin", "down", "down", "first", "second", "third", "up", "end"]
LEVELS = ("descent", "adescent")


def path(graph: str) -> list[str]:
    return DESCENT if graph == "descent" else [n for n in DESCENT if n not in {"down", "up"}]


def ran(graph: str, *again: str) -> Counter[str]:
    """Return how often each node runs, when some ran twice."""
    return Counter([*set(path(graph)), *again])


# --- kills and freezes ---------------------------------------------------------------------------


@pytest.mark.parametrize("graph", LEVELS)
@pytest.mark.parametrize("dies", ["first", "third"])
def test_a_kill_inside_costs_the_node_that_ran(
    own_site: Callable[..., Site], thread_id: str, log: Path, graph: str, dies: str
) -> None:
    site = own_site(lease=4.0)
    site.start(1, concurrency=1)
    done = site.graphs[graph].invoke({"log": str(log), "dies": dies}, on(thread_id))
    assert done["path"] == path(graph)
    assert Counter(lines(log)) == ran(graph, dies)


def test_a_kill_after_a_called_graph_costs_nothing_of_it(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    done = site.graphs["descent"].invoke({"log": str(log), "dies": "up"}, on(thread_id))
    assert done["path"] == DESCENT
    assert Counter(lines(log)) == ran("descent", "up")


def test_a_kill_at_a_breakpoint_does_not_release_it(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    site.start(1, concurrency=1)
    graph = site.graphs["gated"]
    graph.invoke({"log": str(log), "dies": "call"}, on(thread_id))
    assert lines(log) == ["call", "first", "call"]
    assert graph.get_state(on(thread_id)).next == ("call",)
    assert graph.invoke(None, on(thread_id))["path"] == ["first", "second"]
    assert lines(log) == ["call", "first", "call", "call", "second"]


def test_a_frozen_worker_changes_nothing_inside_when_it_wakes(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site(lease=4.0)
    frozen, *_ = site.start(1, concurrency=1)
    graph, gate = site.graphs["descent"], tmp_path / "gate"
    run = graph.submit({"log": str(log), "gate": str(gate)}, on(thread_id))
    wait_until(lambda: "second" in lines(log), "the called graph to run")
    with frozen.paused():
        gate.touch()
        site.start(1, concurrency=1)
        assert run.result(timeout=PATIENCE)["path"] == DESCENT
        before = everything(site, thread_id)
    after = graph.invoke({"log": str(log)}, on(f"{thread_id}-after"))
    assert after["path"] == DESCENT
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), "its leases to be gone")
    assert everything(site, thread_id) == before
    assert Counter(lines(log))["first"] == 2  # once here, once in the run after


def everything(site: Site, thread_id: str) -> list[Any]:
    """Return what is stored of all frames."""
    thread = site.backend.thread_key(thread_id)
    with site.store.client() as client:
        frames = [thread.frame(ns.decode()) for ns in sorted(client.hkeys(thread.frames))]
        return [client.hgetall(key) for key in (thread.header, thread.checkpoints, *frames)]


# --- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("graph", LEVELS)
def test_a_question_far_inside_is_answered_once(
    shared: Site, thread_id: str, log: Path, graph: str
) -> None:
    given = {"log": str(log), "asks": "where?"}
    asked = shared.graphs[graph].invoke(given, on(thread_id))
    assert [question.value for question in asked["__interrupt__"]] == ["where?"]
    done = shared.graphs[graph].invoke(Command(resume="there"), on(thread_id))
    assert done["path"] == ["there" if name == "third" else name for name in path(graph)]
    assert Counter(lines(log)) == ran(graph, "third")


def test_a_waiting_graph_is_shown_listed_and_changed(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph, config = shared.graphs["descent"], on(thread_id)
    graph.invoke({"log": str(log), "asks": "where?"}, config)
    (task,) = graph.get_state(config, subgraphs=True).tasks
    (deeper,) = task.state.tasks
    leaf = deeper.state
    assert (leaf.next, leaf.values["path"]) == (("third",), ["down", "first", "second"])
    assert [question.value for question in leaf.interrupts] == ["where?"]
    inside = {"configurable": {**leaf.config["configurable"], "checkpoint_id": None}}
    steps = [found.metadata["step"] for found in graph.get_state_history(inside)]
    assert steps == [2, 1, 0, -1]
    graph.update_state(leaf.config, {"path": ["changed"]}, as_node="second")
    # The node runs on another state than the one on which it asked, so it asks anew.
    assert "__interrupt__" in graph.invoke(Command(resume="too late"), config)
    done = graph.invoke(Command(resume="there"), config)
    assert done["path"] == [*DESCENT[:5], "changed", "there", "up", "end"]


def test_nobody_writes_into_a_called_graph_while_it_runs(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site = own_site()
    site.start(1)
    graph, config, gate = site.graphs["descent"], on(thread_id), tmp_path / "gate"
    run = graph.submit({"log": str(log), "gate": str(gate)}, config)
    wait_until(lambda: "second" in lines(log), "the called graph to run")
    (task,) = graph.get_state(config, subgraphs=True).tasks
    with pytest.raises(ThreadBusy):
        graph.update_state(task.state.config, {"path": ["changed"]}, as_node="down")
    gate.touch()
    assert run.result(timeout=PATIENCE)["path"] == DESCENT


# --- what stays ----------------------------------------------------------------------------------


def test_a_graph_that_keeps_its_state_has_it_in_the_next_run(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["diary"]
    assert graph.invoke({"log": "one"}, on(thread_id))["path"] == ["one"]
    assert graph.invoke({"log": "two"}, on(thread_id))["path"] == ["one", "one", "two"]
    assert graph.invoke({"log": "three"}, on(f"{thread_id}-b"))["path"] == ["three"]


def test_a_run_begins_at_an_older_checkpoint_of_a_called_graph(
    shared: Site, thread_id: str, log: Path
) -> None:
    graph, config = shared.graphs["descent"], on(thread_id)
    graph.invoke({"log": str(log), "asks": "where?"}, config)
    (task,) = graph.get_state(config, subgraphs=True).tasks
    inside = {**task.state.tasks[0].state.config["configurable"], "checkpoint_id": None}
    old = next(
        s for s in graph.get_state_history({"configurable": inside}) if s.next == ("second",)
    )
    assert "__interrupt__" in graph.invoke(None, old.config)
    assert Counter(lines(log)) == ran("descent", "second", "third") - Counter(["up", "end"])
    done = graph.invoke(Command(resume="there"), config)
    assert done["path"] == ["there" if name == "third" else name for name in DESCENT]


def test_a_called_graph_is_started_again_in_the_first_superstep_alone(
    backend: CeleryBackend,
) -> None:
    ran: list[str] = []

    def visited(name: str) -> Callable[[Heavy], Heavy]:
        def node(_: Heavy) -> Heavy:
            ran.append(name)
            return {"seen": [name]}

        return node

    called = StateGraph(Heavy).add_sequence([(name, visited(name)) for name in ("one", "two")])
    inner = called.add_edge(START, "one").compile()
    builder = StateGraph(Heavy).add_node("node", lambda _: {"seen": inner.invoke({})["seen"]})
    builder.add_conditional_edges("node", lambda state: "node" if len(state["seen"]) < 4 else END)
    graph = builder.add_edge(START, "node").compile(name="looping", backend=backend)
    graph.invoke({}, on("looping"))
    *_, first = (each for each in graph.get_state_history(on("looping")) if each.next == ("node",))
    inside: Any = first.tasks[0].state
    old = next(each for each in graph.get_state_history(inside) if each.next == ("two",))
    ran.clear()
    for _ in range(2):
        assert graph.invoke(None, old.config)["seen"] == ["one", "two"] * 2
    assert ran == ["two", "one", "two"] * 2


def test_a_graph_that_keeps_its_state_stands_as_it_did_before_an_older_checkpoint(
    shared: Site, thread_id: str
) -> None:
    graph, config = shared.graphs["diary"], on(thread_id)
    for word in ("one", "two"):
        graph.invoke({"log": word}, config)
    before = [each for each in graph.get_state_history(config) if each.next == ("write",)]
    assert graph.invoke(None, before[1].config)["path"] == ["one"]
    assert graph.invoke({"log": "three"}, config)["path"] == ["one", "one", "three"]


def test_a_saver_goes_on_with_a_graph_that_waits_inside(
    shared: Site, redis_client: redis.Redis, thread_id: str, log: Path
) -> None:
    shared.graphs["descent"].invoke({"log": str(log), "asks": "where?"}, on(thread_id))
    saver = RedisSaver(redis_client, namespace=shared.namespace)
    here = descent().compile(checkpointer=saver)
    done = here.invoke(Command(resume="there"), on(thread_id))
    assert done["path"] == ["there" if name == "third" else name for name in DESCENT]
    assert Counter(lines(log)) == ran("descent", "third")
    saver.copy_thread(thread_id, f"{thread_id}-copy")
    assert here.get_state(on(f"{thread_id}-copy")).values == here.get_state(on(thread_id)).values


def test_workers_run_a_copy_of_a_thread_that_waits_inside(
    shared: Site, redis_client: redis.Redis, thread_id: str, log: Path
) -> None:
    graph, copied = shared.graphs["descent"], on(f"{thread_id}-copy")
    graph.invoke({"log": str(log), "asks": "where?"}, on(thread_id))
    saver = RedisSaver(redis_client, namespace=shared.namespace)
    saver.copy_thread(thread_id, f"{thread_id}-copy")
    saver.delete_thread(thread_id)
    assert "__interrupt__" in graph.invoke(None, copied)
    done = graph.invoke(Command(resume="there"), copied)
    assert done["path"] == ["there" if name == "third" else name for name in DESCENT]
    assert Counter(lines(log)) == ran("descent", "third")


def test_a_cancelled_question_leaves_nothing_open_inside(
    shared: Site, redis_client: redis.Redis, thread_id: str, log: Path
) -> None:
    graph = shared.graphs["descent"]
    graph.invoke({"log": str(log), "asks": "where?"}, on(thread_id))
    assert shared.backend.thread(thread_id).cancel()
    thread = shared.backend.thread_key(thread_id)
    client: Any = redis_client
    keys = client.keys(f"{thread.prefix}*")
    assert {key.decode().split(":")[2] for key in keys} == {"h", "c", "e", "fs", "f"}
    frames = {ns.decode(): thread.frame(ns.decode()) for ns in client.hkeys(thread.frames)}
    heads = {f"p|{ns}|".encode() + client.hget(frames[ns], "/cp") for ns in frames}
    assert heads.isdisjoint(client.hkeys(thread.checkpoints))
    done = graph.invoke({"log": str(log), "asks": ""}, on(thread_id))
    assert done["path"] == ["begin", *DESCENT]


def test_pruning_takes_called_graphs_along(
    shared: Site, redis_client: redis.Redis, thread_id: str, log: Path
) -> None:
    graph: Any = shared.graphs["descent"]
    for _ in range(2):
        graph.invoke({"log": str(log)}, on(thread_id))
    saver = RedisSaver(redis_client, namespace=shared.namespace)
    thread = shared.backend.thread_key(thread_id)
    assert redis_client.hlen(thread.frames) == 4
    saver.prune([thread_id])
    assert redis_client.hlen(thread.frames) == 0
    assert redis_client.keys(f"{thread.prefix}f:*") == []
    assert graph.get_state(on(thread_id)).values["path"] == DESCENT * 2


class Heavy(TypedDict, total=False):
    """Nine megabytes, and how often they were made."""

    body: str
    seen: Annotated[list[str], operator.add]


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    """A backend with a worker inside this process."""
    made = CeleryBackend(redis_server.url, namespace=namespace)
    with made.worker(pool="threads", concurrency=2):
        yield made


def test_two_finished_graphs_of_nine_megabytes_allow_a_question(backend: CeleryBackend) -> None:
    made: list[int] = []

    def make(_: Heavy) -> Heavy:
        made.append(1)
        return {"body": "x" * 9_000_000}

    heavy = StateGraph(Heavy).add_node("make", make).add_edge(START, "make").compile()

    def node(_: Heavy) -> Heavy:
        sizes = [str(len(heavy.invoke({})["body"])) for _ in range(2)]
        return {"seen": [*sizes, interrupt("go on?")]}

    builder = StateGraph(Heavy).add_node("node", node).add_edge(START, "node")
    graph = builder.compile(name="heavy", backend=backend)
    config = on("heavy")
    asked = graph.invoke({}, config)
    assert [question.value for question in asked["__interrupt__"]] == ["go on?"]
    assert graph.invoke(Command(resume="yes"), config)["seen"] == ["9000000", "9000000", "yes"]
    assert len(made) == 2


def test_two_tasks_cannot_share_what_is_kept(backend: CeleryBackend) -> None:
    kept = StateGraph(Heavy).add_node("leaf", lambda _: {"seen": ["leaf"]})
    inner = kept.add_edge(START, "leaf").compile(checkpointer=True)

    def node(_: Any) -> Heavy:
        return {"seen": inner.invoke({})["seen"]}

    builder = StateGraph(Heavy).add_node("node", node)
    builder.add_conditional_edges(START, lambda _: [Send("node", {}), Send("node", {})], ["node"])
    graph = builder.compile(name="sharing", backend=backend)
    with pytest.raises(ValueError, match="'node'"):
        graph.invoke({}, on("sharing"))


# --- what it costs -------------------------------------------------------------------------------


def test_a_list_that_grows_in_a_called_graph_is_stored_once(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    names = [f"n{number}" for number in range(40)]
    called = StateGraph(Heavy)
    called.add_sequence([(name, lambda _: {"seen": ["x" * 1_000]}) for name in names])
    inner = called.add_edge(START, names[0]).compile()
    builder = StateGraph(Heavy).add_node("node", lambda _: {"body": str(len(inner.invoke({})))})
    builder.add_edge(START, "node").compile(name="growing", backend=backend).invoke({}, on("grow"))
    stored = redis_client.hgetall(backend.thread_key("grow").checkpoints)
    # Once in the list, once as what its task left.
    assert sum(map(len, stored.values())) < 3 * 40_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the scripts that this process asks Redis to run, as they are asked."""
    names: list[str] = []
    call = Ledger.call

    def noting(self: Ledger, command: Any) -> Any:
        names.append(getattr(command, "name", ""))
        return call(self, command)

    monkeypatch.setattr(Ledger, "call", noting)
    return names


@pytest.mark.parametrize("length", [5, 20])
def test_a_called_graph_costs_a_round_trip_per_superstep(
    backend: CeleryBackend, asked: list[str], length: int
) -> None:
    names = [f"n{number}" for number in range(length)]
    called = StateGraph(Heavy)
    called.add_sequence([(name, lambda _: {"seen": ["x"]}) for name in names])
    inner = called.add_edge(START, names[0]).compile()
    builder = StateGraph(Heavy).add_node("node", lambda _: {"seen": inner.invoke({})["seen"]})
    graph = builder.add_edge(START, "node").compile(name="counting", backend=backend)
    assert graph.invoke({}, on(f"counting {length}"))["seen"] == ["x"] * length
    # A look for what is there; the input with what it led to, then one for each superstep.
    assert Counter(asked)["inner"] == length + 1
    assert Counter(asked)["load"] == 3  # two of them are the client's
