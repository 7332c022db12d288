"""What one job does, step by step and without Celery, on a real Redis."""

from __future__ import annotations

import logging
import operator
import os
import signal
from dataclasses import replace
from typing import Annotated, Any, TypedDict

import pytest
import redis
from redis.exceptions import ConnectionError as Lost

from checkpoint_redis import keys, source
from checkpoint_redis.layout import HeaderField
from checkpoint_redis.ledger import Ledger
from distgraph.core.model import Errored
from distgraph.errors import NewerFormat, NodeExited, StoreError, StoreUnavailable
from distgraph.graph import START, StateGraph
from distgraph.types import Send
from tests.support.jobs import Bench, on
from tests.support.newer import newer
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE
from workers.cli import health
from workers.shared.wire import Wire
from workers.worker import failures, jobs
from workers.worker.presence import appear

pytestmark = pytest.mark.redis


class State(TypedDict, total=False):
    xs: Annotated[list[int], operator.add]


@pytest.fixture
def bench(redis_server: RedisServer, namespace: str) -> Bench:
    return Bench(redis_server, namespace)


def chain(bench: Bench, *names: str) -> Any:
    """Return a graph whose nodes run one after the other."""
    builder = StateGraph(State)
    builder.add_sequence([(name, lambda _: {"xs": [1]}) for name in names])
    builder.add_edge(START, names[0])
    return builder.compile(name="g", backend=bench.backend)


def test_tasks_that_came_in_one_message_keep_their_leases_until_they_have_run(bench: Bench) -> None:
    held: list[int] = []

    def note(_: State) -> dict[str, Any]:
        held.append(len(bench.office.leases.held()))
        return {"xs": [1]}

    builder = StateGraph(State)
    for name in ("a", "b", "c"):
        builder.add_node(name, note)
        builder.add_edge(START, name)
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    jobs.step(bench.office, bench.hint())
    assert held == [3, 2, 1]
    assert bench.office.leases.held() == ()


def test_hints_are_sent_also_when_the_answer_to_the_commit_was_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain(bench, "a", "b").submit({}, on("t"))
    ledger: Ledger = bench.office.steady()
    execute = ledger._execute
    lost: list[Any] = []

    def lose_one(*words: Any) -> Any:
        answer = execute(*words)
        if words[1] in (source.sha("finish"), source.lua("finish")) and not lost:
            lost.append(answer)
            raise Lost("connection reset")
        return answer

    monkeypatch.setattr(ledger, "_execute", lose_one)
    jobs.step(bench.office, bench.hint())
    assert lost
    assert len(bench.sent) == 1


def test_a_graph_that_is_not_served_is_told_of_once(
    bench: Bench, namespace: str, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    chain(bench, "a").submit({}, on("t"))
    other = Bench(redis_server, namespace)
    chain(other, "a", "b")
    hint = bench.hint()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            jobs.step(other.office, hint)
    assert [r.message for r in caplog.records if "stays queued" in r.message] != []
    assert len([r for r in caplog.records if "stays queued" in r.message]) == 1


def test_a_worker_that_vanished_is_forgotten_after_a_day(bench: Bench) -> None:
    backend, namespace = bench.backend, bench.backend.namespace
    client: Any = backend.ledger.client
    seconds, _ = client.time()
    for name, age in (("long gone", 86_401), ("lately", 86_000)):
        client.hset(keys.workers(namespace), name, f'{seconds - age} ["1",["queue"],[],1,[]]')
    appear(backend.office, "here", bool)
    assert {worker.name for worker in backend.workers()} == {"here", "lately"}


@pytest.mark.parametrize("began", [False, True])
def test_an_emptied_redis_is_told_of_once(
    bench: Bench, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture, began: bool
) -> None:
    """A message, or what a task leaves, meets a thread that is not there."""

    def body(_: State) -> dict[str, Any]:
        if began:
            empty()
        return {"xs": [1]}

    def empty() -> None:
        redis_client.delete(*redis_client.keys(f"{bench.backend.namespace}*"))

    builder = StateGraph(State)
    builder.add_node("a", body)
    builder.add_edge(START, "a")
    bench.office.installation.look()
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    hint = bench.hint()
    if not began:
        empty()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            jobs.step(bench.office, hint)
    (told,) = [record.message for record in caplog.records]
    assert "REDIS WAS EMPTIED OR REPLACED" in told


def test_a_thread_that_was_deleted_is_no_emptied_redis(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.office.installation.look()
    chain(bench, "a").submit({}, on("t"))
    hint = bench.hint()
    bench.backend.thread("t").delete()
    with caplog.at_level(logging.ERROR):
        jobs.step(bench.office, hint)
        jobs.step(bench.office, replace(hint, tids=("@",)))
    assert not caplog.records


def stored_by_a_newer_release(bench: Bench) -> None:
    thread = bench.backend.thread_key("t")
    client: Any = bench.backend.ledger.client
    client.hset(thread.header, mapping={HeaderField.form: 2, HeaderField.release: "9.9"})


def test_a_thread_that_a_newer_release_stored_is_told_of_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    chain(bench, "a").submit({}, on("t"))
    stored_by_a_newer_release(bench)
    hint = bench.hint()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            jobs.step(bench.office, hint)
    (told,) = [r.message for r in caplog.records if "stays queued" in r.message]
    assert "stored in format 2, and this worker reads formats up to 1" in told
    assert "distgraph 9.9 or newer" in told


def test_the_doctor_names_the_release_that_is_needed(bench: Bench) -> None:
    chain(bench, "a").submit({}, on("t"))
    appear(bench.office, "here", bool)
    assert health._unserved(bench.backend).level == "ok"
    stored_by_a_newer_release(bench)
    found = health._unserved(bench.backend)
    assert found.level == "problem"
    assert "in format 2, which distgraph 9.9 and newer reads (1)" in found.detail
    with newer():
        appear(bench.office, "newer", bool)
    assert health._unserved(bench.backend).level == "ok"


def test_a_thread_that_a_newer_release_stored_is_listed_and_deleted_and_no_more(
    bench: Bench,
) -> None:
    chain(bench, "a").submit({}, on("t"))
    stored_by_a_newer_release(bench)
    handle = bench.backend.thread("t")
    assert [info.id for info in bench.backend.threads()] == ["t"]
    for look in (lambda: handle.status, lambda: handle.state, handle.cancel, handle.retry):
        with pytest.raises(NewerFormat, match=r"Thread 't' .*distgraph 9.9 or newer"):
            look()
    handle.delete()
    assert bench.backend.threads() == []


def test_a_worker_whose_machine_has_another_time_lives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = bench.backend
    chain(bench, "a")
    monkeypatch.setattr("time.time", lambda: 1.0)
    appear(backend.office, "here", bool)
    monkeypatch.undo()
    (here,) = health.living(backend)
    assert here.graphs == backend.registry.labels()
    (seen,) = backend.workers()
    client: Any = backend.ledger.client
    client.hset(
        keys.workers(backend.namespace), "here", f'{seen.seen - 60:f} ["1",[],["g@1"],1,[]]'
    )
    assert not health.living(backend)


def test_a_worker_tells_what_it_consumes_of_what_is_registered(bench: Bench) -> None:
    builder = StateGraph(State).add_node("a", lambda _: {"xs": [1]}, queue="special")
    builder.add_edge(START, "a")
    for name in ("one", "two"):
        builder.compile(name=name, backend=bench.backend)
        builder = StateGraph(State).add_node("a", lambda _: {"xs": [1]}).add_edge(START, "a")
    namespace = bench.backend.namespace
    special = f"{namespace}.special"
    appear(bench.office, "here", {f"{namespace}.two", special, "other"}.__contains__)
    (seen,) = bench.backend.workers()
    assert seen.queues == (special, f"{namespace}.two")
    assert [label.partition("@")[0] for label in seen.graphs] == ["two"]
    assert [label.partition("@")[0] for label in seen.parts] == ["one"]


# --- what is no node's failure -------------------------------------------------------------------


class OwnError(Exception):
    """What our own code might raise."""


async def coroutine(_: State) -> dict[str, Any]:
    return {"xs": [1]}


@pytest.mark.parametrize("node", [lambda _: {"xs": [1]}, coroutine])
def test_whatever_fails_around_a_node_is_the_failure_of_its_task_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, node: Any
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise OwnError("broken-4711")

    builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    monkeypatch.setattr(Wire, "finished", fail)
    jobs.step(bench.office, bench.hint())
    assert bench.office.loop.drain(lambda: PATIENCE)
    handle = bench.backend.thread("t")
    assert handle.status == "error"
    (failed,) = handle.state.results.values()
    assert isinstance(failed, Errored)
    assert (failed.kind.rpartition(".")[2], failed.message) == ("OwnError", "broken-4711")
    assert "in fail" in failed.traceback
    assert bench.office.leases.held() == ()


def test_what_a_later_attempt_may_not_meet_is_no_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("away")

    chain(bench, "a").submit({}, on("t"))
    monkeypatch.setattr(Ledger, "finish", away)
    with pytest.raises(StoreUnavailable):
        jobs.step(bench.office, bench.hint())
    assert bench.backend.thread("t").status == "busy"


def test_what_redis_refuses_for_good_is_the_failure_of_the_task(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise StoreError("NOPERM this user has no permissions to run the 'finish' command")

    chain(bench, "a").submit({}, on("t"))
    monkeypatch.setattr(Ledger, "finish", refuse)
    jobs.step(bench.office, bench.hint())
    assert "NOPERM" in failure(bench).message
    assert failure(bench).notes[0].startswith("During task with name 'a'")


@pytest.fixture
def told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the handler been called of the signal that ends a process of a pool."""
    monkeypatch.setattr(failures, "terminate_handler_fired", lambda: True)


CUT: list[BaseException] = []


def cut(left: list[int], right: list[int]) -> list[int]:
    """Add, once after what ends a worker."""
    if right == [1] and CUT:
        raise CUT.pop()
    return left + right


class Cut(TypedDict, total=False):
    xs: Annotated[list[int], cut]


@pytest.mark.usefixtures("told_to_end")
def test_a_reduction_that_is_cut_short_is_handed_over(bench: Bench) -> None:
    builder = StateGraph(Cut)
    for name in ("a", "b"):
        builder.add_node(name, lambda _: {"xs": [1]}).add_edge(START, name)
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    CUT.append(SystemExit(signal.SIGTERM - 256))
    with pytest.raises(SystemExit):
        jobs.step(bench.office, bench.hint())
    jobs.step(bench.office, bench.hint())
    handle = bench.backend.thread("t")
    assert (handle.status, handle.state.checkpoint.values["xs"]) == ("idle", [1, 1])


def test_a_reducer_that_ends_the_process_itself_has_failed(bench: Bench) -> None:
    builder = StateGraph(Cut).add_node("a", lambda _: {"xs": [1]}).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    CUT.append(SystemExit(4711))
    jobs.step(bench.office, bench.hint())
    assert failure(bench).kind.endswith("NodeExited")
    assert "raised SystemExit(4711)" in failure(bench).message


def test_a_barrier_whose_reducer_ends_the_process_has_failed(bench: Bench) -> None:
    builder = StateGraph(Cut)
    for name in ("a", "b"):
        builder.add_node(name, lambda _: {"xs": [1]}).add_edge(START, name)
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    CUT.append(SystemExit(4711))
    jobs.step(bench.office, bench.hint())
    handle = bench.backend.thread("t")
    assert handle.status == "error"
    with pytest.raises(NodeExited, match="a reducer or a class of its state, raised SystemExit"):
        bench.backend.run("t", handle.runs()[0].id).result()


def test_what_a_class_of_the_state_raises_to_end_the_process_has_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(bench, lambda _: {"xs": [1]})

    def leave(*_: Any) -> Any:
        raise SystemExit(4711)

    monkeypatch.setattr(jobs, "open_frame", leave)
    jobs.step(bench.office, bench.hint())
    assert failure(bench).kind.endswith("NodeExited")
    assert failure(bench).notes[0].startswith("During task with name 'a'")


def exits(_: State) -> dict[str, Any]:
    raise SystemExit(signal.SIGTERM - 256)


def exits_untidily(_: State) -> dict[str, Any]:
    try:
        raise SystemExit(signal.SIGTERM - 256)
    finally:
        raise ConnectionError


def begin(bench: Bench, node: Any) -> None:
    builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))


def failure(bench: Bench) -> Errored:
    (failed,) = bench.backend.thread("t").state.results.values()
    assert isinstance(failed, Errored)
    return failed


@pytest.mark.usefixtures("told_to_end")
@pytest.mark.parametrize("node", [exits, exits_untidily])
def test_a_node_that_is_cut_short_has_not_failed(bench: Bench, node: Any) -> None:
    begin(bench, node)
    with pytest.raises(SystemExit):
        jobs.step(bench.office, bench.hint())
    assert bench.backend.thread("t").status == "busy"


def test_a_node_that_exits_by_itself_has_failed_whatever_its_code(bench: Bench) -> None:
    begin(bench, exits)
    jobs.step(bench.office, bench.hint())
    assert failure(bench).kind.endswith("NodeExited")


@pytest.mark.usefixtures("told_to_end")
def test_a_node_that_runs_into_the_time_limit_of_its_worker_fails_with_it(bench: Bench) -> None:
    bench.office.time_limit = 0.01
    begin(bench, exits)
    jobs.step(bench.office, bench.hint())
    assert failure(bench).kind.endswith("NodeStopped")
    assert "Node 'a' ran into the time limit of its worker, 0.01 s" in failure(bench).message


@pytest.mark.usefixtures("told_to_end")
def test_a_node_whose_job_is_revoked_fails_with_it(bench: Bench) -> None:
    bench.office.bulletin.revoke(os.getpid())
    begin(bench, exits)
    jobs.step(bench.office, bench.hint())
    assert failure(bench).kind.endswith("NodeStopped")
    assert "Node 'a' was ended because its Celery job was revoked" in failure(bench).message


def test_a_later_process_of_the_same_id_is_not_taken_for_one_that_was_revoked(
    bench: Bench,
) -> None:
    bulletin = bench.office.bulletin
    bulletin.revoke(os.getpid())
    bulletin.admit(os.getpid() + 128)  # the other process of its slot
    assert bulletin.is_revoked(os.getpid())
    bulletin.admit(os.getpid())
    assert not bulletin.is_revoked(os.getpid())


def test_a_lease_that_is_lost_while_its_task_waits_keeps_it_from_beginning(bench: Bench) -> None:
    ran: list[str] = []

    def node(packet: str) -> dict[str, Any]:
        ran.append(packet)
        bench.backend.thread("t").cancel()
        bench.office.leases.beat()
        return {"xs": [1]}

    builder = StateGraph(State).add_node("a", node)
    builder.add_conditional_edges(START, lambda _: [Send("a", "first"), Send("a", "second")], ["a"])
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    jobs.step(bench.office, bench.hint())
    assert len(ran) == 1
