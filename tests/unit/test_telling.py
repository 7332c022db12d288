"""What a worker's log and Celery are told of failures: whose they are, in bounded words."""

from __future__ import annotations

import logging
import operator
import pickle
import traceback
from typing import Annotated, Any, Never, TypedDict

import pytest

from checkpoint_redis import keys
from distgraph.core.model import Errored
from distgraph.core.recorded import errored
from distgraph.errors import JobFailed, WorkerLost
from distgraph.graph import START, StateGraph
from tests.support.jobs import Bench, on
from tests.support.redis_server import RedisServer
from tests.support.waiting import PATIENCE
from workers.shared.hints import Hint
from workers.worker import jobs, releasing, telling
from workers.worker.desk import desk_for
from workers.worker.telling import Subject, tell_failed, together

SUBJECT = Subject("orders", "pay", "order-17", "x" * 24, "run-1", 2, "job-1")
LONG = 10_000_000


def raised(error: Exception) -> Errored:
    """Return the record of an error that a node raised."""

    def node() -> Never:
        raise error

    with pytest.raises(type(error)):
        node()
    return errored(error)


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_failure_names_whose_it_is_and_has_the_nodes_own_as_its_cause() -> None:
    error = raised(ValueError("no funds"))
    failed = tell_failed(SUBJECT, error)
    assert str(failed) == (
        "Attempt 2 at node 'pay' of graph 'orders' on thread 'order-17' (run run-1) failed: "
        "ValueError: no funds."
    )
    assert failed.__cause__ is error.exception


@pytest.mark.parametrize(("retry_in", "level"), [(None, logging.ERROR), (1.5, logging.WARNING)])
def test_the_record_has_what_programs_look_for(
    caplog: pytest.LogCaptureFixture, retry_in: float | None, level: int
) -> None:
    failed = tell_failed(SUBJECT, raised(ValueError("no funds")), retry_in)
    (record,) = caplog.records
    facts = vars(record)
    assert record.levelno == level
    assert record.exc_info is not None
    assert record.exc_info[1] is failed
    assert {name: facts[name] for name in ("graph", "node", "thread_id", "run_id", "job_id")} == {
        "graph": "orders",
        "node": "pay",
        "thread_id": "order-17",
        "run_id": "run-1",
        "job_id": "job-1",
    }
    assert (facts["attempt"], facts["outcome"], facts["retry_in"]) == (2, "failed", retry_in)
    assert facts["error"] == "builtins.ValueError"


class RudeError(Exception):
    def __str__(self) -> Never:
        raise RuntimeError("ask somebody else")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x" * LONG),
        ValueError("half \ud83d"),
        RudeError(),
        ExceptionGroup("many", [ValueError("x" * LONG) for _ in range(3)]),
        ValueError("a\nb" * LONG),
    ],
)
def test_what_a_node_raises_is_told_in_bounded_words_that_any_stream_takes(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    failed = tell_failed(SUBJECT, raised(error), 1.0)
    told = shown(failed)
    assert len(told) < 4 * telling.LONGEST
    told.encode()
    assert "\n" not in str(failed)
    assert len(str(failed)) < 2 * telling.BRIEF
    assert type(error).__name__ in told
    (record,) = caplog.records
    record.getMessage().encode()
    again = pickle.loads(pickle.dumps(failed))  # as a pool process sends it
    assert (type(again), again.args) == (JobFailed, failed.args)


def test_a_thread_may_have_any_id(caplog: pytest.LogCaptureFixture) -> None:
    subject = Subject("g", "n", "\ud83d\n" + "x" * LONG, "x", "run", 1, "job")
    failed = tell_failed(subject, raised(ValueError("no")))
    assert len(str(failed)) < 1_000
    str(failed).encode()
    assert "\n" not in caplog.records[0].getMessage()


def test_a_job_of_several_tasks_names_each_that_failed() -> None:
    failures = [tell_failed(SUBJECT, raised(ValueError(f"no {n}"))) for n in range(3)]
    assert together([]) is None
    assert together(failures[:1]) is failures[0]
    whole = together(failures)
    assert whole is not None
    assert str(whole).startswith("3 tasks of this job failed: Attempt 2 at node 'pay'")
    for n in range(3):
        assert f"ValueError: no {n}" in str(whole)
        assert f"ValueError: no {n}" in shown(whole.__cause__ or whole)


def test_a_job_of_many_large_failures_is_told_in_bounded_words() -> None:
    large = [tell_failed(SUBJECT, raised(ValueError("x" * 20_000))) for _ in range(100)]
    whole = together(large)
    assert whole is not None
    assert len(shown(whole)) < 4 * telling.LONGEST


class State(TypedDict):
    xs: Annotated[list[int], operator.add]


@pytest.mark.redis
def test_a_job_returns_what_failed_in_it(redis_server: RedisServer, namespace: str) -> None:
    def bad(_: State) -> Never:
        raise ValueError("no")

    bench = Bench(redis_server, namespace)
    builder: Any = StateGraph(State)
    for name, node in (("a", bad), ("b", lambda _: {"xs": [1]}), ("c", bad)):
        builder.add_node(name, node)
        builder.add_edge(START, name)
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    failed = jobs.step(bench.office, bench.hint(), "job-1")
    assert failed is not None
    assert str(failed).startswith("2 tasks of this job failed: ")
    assert all(f"node '{name}' of graph 'g' on thread 't'" in str(failed) for name in "ac")
    assert "node 'b'" not in str(failed)


@pytest.mark.redis
def test_what_keeps_a_task_from_beginning_is_told(
    redis_server: RedisServer,
    namespace: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Never:
        raise LookupError("no frame")

    bench = Bench(redis_server, namespace)
    builder: Any = StateGraph(State).add_node("a", lambda _: {"xs": [1]}).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    monkeypatch.setattr(jobs, "open_frame", broken)
    failed = jobs.step(bench.office, bench.hint())
    run = bench.backend.run("t", bench.backend.thread("t").runs()[0].id)
    with pytest.raises(LookupError) as raised:
        run.result(timeout=PATIENCE)
    assert raised.value.__notes__[0].startswith("During task with name 'a' and id ")
    assert "Attempt 1 at node 'a' of graph 'g' on thread 't'" in str(failed)
    assert "LookupError: no frame" in str(failed)
    assert [vars(record)["outcome"] for record in caplog.records] == ["failed"]


@pytest.mark.redis
def test_the_failure_of_an_attempt_that_was_given_up_is_none(
    redis_server: RedisServer, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(redis_server, namespace)

    def late(_: State) -> Never:
        bench.backend.thread("t").cancel()
        raise ValueError("too late")

    builder: Any = StateGraph(State).add_node("a", late).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    assert jobs.step(bench.office, bench.hint()) is None
    assert not caplog.records


@pytest.fixture
def claimed(redis_server: RedisServer, namespace: str) -> tuple[Bench, Hint]:
    """An office that holds the only task of a run, on thread t, and the hint of it."""
    bench = Bench(redis_server, namespace)
    builder: Any = StateGraph(State).add_node("a", lambda _: {"xs": [1]}).add_edge(START, "a")
    builder.compile(name="g", backend=bench.backend).submit({}, on("t"))
    hint = bench.hint()
    desk_for(bench.office, hint, "job-1").claim(hint.tids)
    return bench, hint


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    """Return the facts of all records that tell of attempts."""
    names = ("outcome", "graph", "node", "thread_id", "attempt")
    records = (record for record in caplog.records if hasattr(record, "outcome"))
    return [(each.levelname, *(vars(each)[name] for name in names)) for each in records]


@pytest.mark.redis
def test_an_attempt_whose_process_died_is_told_as_lost(
    claimed: tuple[Bench, Hint], caplog: pytest.LogCaptureFixture
) -> None:
    bench, hint = claimed
    releasing.release(bench.office, hint, given_back=False)
    assert told(caplog) == [("WARNING", "lost", "g", "a", "t", 1)]
    assert "Attempt 1 at node 'a' of graph 'g' on thread 't'" in caplog.text
    releasing.release(bench.office, hint, given_back=False)  # it holds nothing any more
    assert len(told(caplog)) == 1


@pytest.mark.redis
def test_the_last_attempt_that_may_be_lost_is_told_as_a_failure(
    claimed: tuple[Bench, Hint], caplog: pytest.LogCaptureFixture
) -> None:
    bench, hint = claimed
    bench.office.settings.max_lost = 0
    releasing.release(bench.office, hint, given_back=False)
    assert told(caplog) == [("ERROR", "failed", "g", "a", "t", 1)]
    assert "WorkerLost" in caplog.text
    run = bench.backend.run("t", bench.backend.thread("t").runs()[0].id)
    with pytest.raises(WorkerLost) as raised:
        run.result(timeout=PATIENCE)
    assert raised.value.__notes__[0].startswith("During task with name 'a' and id ")


@pytest.mark.redis
def test_an_attempt_whose_worker_ends_is_told_as_handed_over(
    claimed: tuple[Bench, Hint], caplog: pytest.LogCaptureFixture
) -> None:
    bench, hint = claimed
    with caplog.at_level(logging.INFO):
        releasing.hand_over(bench.office, hint)
    assert told(caplog) == [("INFO", "handed over", "g", "a", "t", 1)]


def run_out(bench: Bench) -> None:
    """Sweep once the only lease is over."""
    due = keys.due(bench.backend.namespace, bench.backend.thread_key("t").shard)
    client: Any = bench.backend.ledger.client
    (entry,) = client.zrange(due, 0, -1)
    client.zadd(due, {entry: 1})
    bench.office.overdue.sweep()


@pytest.mark.redis
def test_an_attempt_whose_lease_ran_out_is_told_as_lost(
    claimed: tuple[Bench, Hint], caplog: pytest.LogCaptureFixture
) -> None:
    bench, hint = claimed
    run_out(bench)
    assert told(caplog) == [("WARNING", "lost", "g", "a", "t", 1)]
    bench.office.overdue.sweep()
    assert len(told(caplog)) == 1
    assert hint.x == vars(caplog.records[-1])["thread_key"]


@pytest.mark.redis
def test_the_last_attempt_whose_lease_may_run_out_is_told_as_a_failure(
    claimed: tuple[Bench, Hint], caplog: pytest.LogCaptureFixture
) -> None:
    bench, _ = claimed
    bench.office.settings.max_lost = 0
    run_out(bench)
    assert told(caplog) == [("ERROR", "failed", "g", "a", "t", 1)]
    assert "WorkerLost" in caplog.text
    bench.office.overdue.sweep()
    assert len(told(caplog)) == 1
