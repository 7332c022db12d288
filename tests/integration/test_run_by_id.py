"""A run is found by its id in any process, streamed from any chunk on, and never without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict, cast

import pytest

from checkpoint_redis.saver import RedisSaver
from distgraph.errors import RunCancelled, ThreadNotFound
from distgraph.graph import START, StateGraph
from distgraph.runtime import Runtime
from distgraph.types import Command, RetryPolicy
from tests.support.apps.served import register
from tests.support.redis_server import RedisServer
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend, Run
from workers.client.run import CeleryRun

pytestmark = pytest.mark.celery
MODES = ["updates", "values"]


def elsewhere(site: Site, run: Run) -> Run:
    """Return the handle of a run as another process has it."""
    backend = site.client()
    register(backend)
    return backend.run(run.thread_id, run.id)


def finished(site: Site, thread_id: str, name: str = "steps", **given: Any) -> Run:
    run = site.graphs[name].submit({"path": [], **given}, on(thread_id), stream_mode=MODES)
    run.result(timeout=PATIENCE)
    found: Run = run
    return found


def lose_events(site: Site, run: Run, leave: int = 0) -> None:
    """Take a thread's events away, as five minutes do; leave the last ones."""
    with site.store.client() as client:
        key = site.backend.thread_key(run.thread_id).events
        client.xtrim(key, maxlen=leave, approximate=False) if leave else client.delete(key)


def test_another_process_sees_what_its_starter_sees(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    other = elsewhere(shared, run)
    assert (other.id, other.thread_id, other.status) == (run.id, thread_id, "success")
    assert other.result(timeout=PATIENCE) == run.result()
    assert list(other.stream()) == list(run.stream()) != []


async def test_another_process_sees_it_on_its_loop(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    other = await shared.backend.arun(thread_id, run.id)
    assert await other.aresult(timeout=PATIENCE) == run.result()
    streamed = [chunk async for chunk in other.astream(ids=True)]
    assert streamed == list(run.stream(ids=True)) != []


def test_a_run_that_nobody_started_is_not_known(shared: Site, thread_id: str) -> None:
    with pytest.raises(ThreadNotFound, match="Run 'none' of thread"):
        shared.backend.run(thread_id, "none")
    finished(shared, thread_id)
    with pytest.raises(ThreadNotFound, match="Run 'none' of thread"):
        shared.backend.run(thread_id, "none")


def test_a_run_of_a_graph_that_is_not_here_has_a_status(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    other = shared.client().run(thread_id, run.id)
    assert other.status == "success"
    with pytest.raises(LookupError, match="graph 'steps', which is not compiled on this backend"):
        other.result()


def test_another_process_cancels_it(shared: Site, thread_id: str, tmp_path: Path) -> None:
    given = {"width": 2, "gate": str(tmp_path / "gate")}
    run = shared.graphs["fan"].submit(given, on(thread_id))
    assert elsewhere(shared, run).cancel()
    with pytest.raises(RunCancelled):
        run.result(timeout=PATIENCE)
    (tmp_path / "gate").touch()


def test_an_answer_by_hand_gives_the_handle_of_its_run(shared: Site, thread_id: str) -> None:
    asked = shared.graphs["approval"].submit({"request": "refund"}, on(thread_id))
    asked.result(timeout=PATIENCE)
    answered = shared.backend.thread(thread_id).resume("yes")
    assert answered.id != asked.id
    assert (
        answered.result(timeout=PATIENCE)
        == shared.graphs["approval"].get_state(on(thread_id)).values
    )


# --- from a chunk on ------------------------------------------------------------------------------


def test_a_stream_goes_on_behind_any_of_its_chunks(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    whole = list(run.stream(ids=True))
    assert len({name for name, _, _ in whole}) == len(whole) > 4
    assert [chunk[1:] for chunk in whole] == list(run.stream())
    other = elsewhere(shared, run)
    for n, (name, _, _) in enumerate(whole):
        assert list(other.stream(after=name, ids=True)) == whole[n + 1 :]


def test_a_stream_of_answers_goes_on_behind_any_chunk(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["approval"]
    graph.submit({"request": "refund"}, on(thread_id)).result(timeout=PATIENCE)
    run = graph.submit(Command(resume="yes"), on(thread_id), stream_mode=MODES)
    run.result(timeout=PATIENCE)
    whole = list(run.stream(ids=True))
    other = elsewhere(shared, run)
    for n, (name, _, _) in enumerate(whole):
        assert list(other.stream(after=name, ids=True)) == whole[n + 1 :]


@pytest.mark.parametrize("after", ["", "nonsense", "1-1.x", "1.1"])
def test_what_is_no_id_of_a_chunk_is_refused(shared: Site, thread_id: str, after: str) -> None:
    run = finished(shared, thread_id)
    if not after:
        assert list(run.stream(after=after))
        return
    with pytest.raises(ValueError, match="is no id of a chunk"):
        list(run.stream(after=after))


def test_what_is_no_id_of_a_run_is_refused(shared: Site, thread_id: str) -> None:
    finished(shared, thread_id)
    with pytest.raises(TypeError, match="run_id must be a string, not None"):
        shared.backend.run(thread_id, cast("Any", None))


# --- what is not kept any more --------------------------------------------------------------------


def test_a_run_that_ended_long_ago_tells_how(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    last, _, _ = list(run.stream(ids=True))[-1]
    lose_events(shared, run)
    values = run.result()
    for handle in (run, elsewhere(shared, run)):
        gap = {"values": values, "next": (), "status": "success"}
        ((mode, chunk),) = handle.stream()
        assert isinstance(handle, CeleryRun)
        assert (mode, chunk.pop("after")) == ("gap", handle._begun.after)
        assert chunk == gap
        ((name, mode, chunk),) = handle.stream(after=last, ids=True)
        assert (name, mode, chunk) == (last.split(".")[0], "gap", {"after": name, **gap})


def test_a_failed_run_that_ended_long_ago_fails_again(shared: Site, thread_id: str) -> None:
    run = shared.graphs["naughty"].submit({"how": "raise"}, on(thread_id), stream_mode=MODES)
    with pytest.raises(Exception) as failure:  # noqa: PT011 - whatever it raises
        run.result(timeout=PATIENCE)
    lose_events(shared, run)
    streamed = run.stream()
    assert next(streamed)[1]["status"] == "error"
    with pytest.raises(type(failure.value)):
        next(streamed)


def test_a_question_that_was_asked_long_ago_is_told(shared: Site, thread_id: str) -> None:
    run = shared.graphs["approval"].submit({"request": "x"}, on(thread_id), stream_mode=MODES)
    asked = run.result(timeout=PATIENCE)
    lose_events(shared, run)
    ((mode, gap),) = run.stream()
    assert (mode, gap["status"]) == ("gap", "interrupted")
    assert gap["values"]["__interrupt__"] == asked["__interrupt__"]
    assert len(gap["next"]) == 1


def test_what_is_still_there_follows_the_gap(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    whole = list(run.stream(ids=True))
    lose_events(shared, run, leave=3)
    gap, *rest = run.stream(ids=True)
    assert gap[1] == "gap"
    assert rest
    assert rest == whole[-len(rest) :]


def test_an_id_that_redis_has_lost_with_a_fail_over_is_told(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    gap, *rest = run.stream(after="99999999999999-0.0", ids=True)
    assert (gap[1], gap[2]["after"]) == ("gap", "99999999999999-0")
    assert rest == list(run.stream(ids=True))


def test_events_that_are_missing_in_between_are_told(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    whole = list(run.stream(ids=True))
    with shared.store.client() as client:
        key = shared.backend.thread_key(thread_id).events
        client.xdel(key, whole[2][0].split(".")[0])
    streamed = list(run.stream(ids=True))
    assert [mode for _, mode, _ in streamed].count("gap") == 1
    assert [chunk for chunk in streamed if chunk[1] != "gap"][-1] == whole[-1]


def test_that_checkpoints_were_pruned_is_told_once(shared: Site, thread_id: str) -> None:
    run = finished(shared, thread_id)
    whole = list(run.stream(ids=True))
    with shared.store.client() as client:
        RedisSaver(client, namespace=shared.namespace).prune([thread_id])
    for handle in (run, elsewhere(shared, run)):
        streamed = list(handle.stream(ids=True))
        assert len(streamed) < len(whole)
        assert [mode for _, mode, _ in streamed].count("gap") == 1
        assert all(chunk in whole for chunk in streamed if chunk[1] != "gap")


class Counted(TypedDict):
    tries: str


def hesitant() -> StateGraph[Any]:
    """A node that streams, fails the first time, and streams again."""

    def hesitate(state: Counted, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.execution_info is not None
        runtime.stream_writer(runtime.execution_info.node_attempt)
        if runtime.execution_info.node_attempt == 1:
            raise ConnectionError
        return {}

    policy = RetryPolicy(initial_interval=0.01)
    builder = StateGraph(Counted).add_node("hesitate", hesitate, retry_policy=policy)
    return builder.add_edge(START, "hesitate")


def test_an_attempt_that_is_void_is_told_with_ids(
    redis_server: RedisServer, namespace: str
) -> None:
    backend = CeleryBackend(redis_server.url, namespace=namespace, sweep=0.1)
    graph = hesitant().compile(name="hesitant", backend=backend)
    with backend.worker():
        run = graph.submit({"tries": ""}, on("t"), stream_mode="custom")
        run.result(timeout=PATIENCE)
    assert list(run.stream()) == [("custom", 1), ("custom", 2)]
    first, void, second = run.stream(ids=True)
    assert (first[1:], second[1:]) == (("custom", 1), ("custom", 2))
    assert void[1] == "superseded"
    assert {**void[2], "id": ""} == {"id": "", "name": "hesitate", "attempt": 1}
