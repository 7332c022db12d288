"""A thread tells who started its runs and who answered its questions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from distgraph.errors import ThreadNotFound
from distgraph.types import Command
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE
from workers import Run
from workers.client.past import AnswerInfo

pytestmark = pytest.mark.celery


def answered(site: Site, thread_id: str) -> list[AnswerInfo]:
    """Return the answers as a process without graph code has them."""
    return site.client().thread(thread_id).answers()


def said(site: Site, thread_id: str) -> list[tuple[Any, Any, str]]:
    return [(each.interrupt.value, each.value, each.by) for each in answered(site, thread_id)]


def ask(site: Site, thread_id: str, name: str = "approval", **given: Any) -> Run:
    run: Run = site.graphs[name].submit(given, on(thread_id), by="alice")
    run.result(timeout=PATIENCE)
    return run


def test_a_run_tells_who_started_it_how_and_when(shared: Site, thread_id: str) -> None:
    started = datetime.now(UTC)
    run = ask(shared, thread_id, request="refund")
    other = shared.client().run(thread_id, run.id)
    assert (other.by, other.kind, other.status) == ("alice", "start", "interrupted")
    assert other.began is not None
    assert other.ended is not None
    assert abs((other.began - started).total_seconds()) < PATIENCE
    assert other.began <= other.ended


def test_a_thread_lists_its_runs_newest_first(shared: Site, thread_id: str) -> None:
    first, thread = ask(shared, thread_id), shared.backend.thread(thread_id)
    last = thread.resume("yes", by="bob of the second floor")
    last.result(timeout=PATIENCE)
    newer, older = thread.runs()
    assert (newer.id, newer.kind, newer.status) == (last.id, "resume", "success")
    assert (older.id, older.kind, older.status) == (first.id, "start", "interrupted")
    assert (newer.by, older.by) == ("bob of the second floor", "alice")
    assert newer.checkpoint == thread.state.checkpoint.id != older.checkpoint
    assert older.ended is not None
    assert newer.ended is not None
    assert older.began <= older.ended <= newer.began <= newer.ended


def test_of_a_run_before_the_last_the_beginning_is_kept(shared: Site, thread_id: str) -> None:
    graph, name = shared.graphs["steps"], "a name of more than fourteen bytes"
    for _ in range(2):
        graph.invoke({"path": []}, on(thread_id), by=name)
    assert [run.by for run in shared.backend.thread(thread_id).runs()] == [name, name[:14]]


def test_a_run_under_way_has_no_end(shared: Site, thread_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    given = {"width": 1, "gate": str(gate)}
    run = shared.graphs["fan"].submit(given, on(thread_id), by="alice")
    (line,) = shared.backend.thread(thread_id).runs()
    assert (line.status, line.ended, run.ended, run.by) == ("pending", None, None, "alice")
    gate.touch()
    run.result(timeout=PATIENCE)
    assert run.ended is not None


def test_a_thread_without_runs_or_without_anything_says_so(shared: Site, thread_id: str) -> None:
    thread = shared.backend.thread(thread_id)
    for call in (thread.runs, thread.answers):
        with pytest.raises(ThreadNotFound, match=thread_id):
            call()
    shared.graphs["steps"].update_state(on(thread_id), {"path": ["by hand"]}, as_node="a")
    assert (thread.runs(), thread.answers()) == ([], [])


async def test_every_call_that_starts_a_run_may_say_who(shared: Site, thread_id: str) -> None:
    graph, config = shared.graphs["steps"], on(thread_id)
    graph.invoke({"path": []}, config, by="1")
    await graph.ainvoke({"path": []}, config, by="2")
    list(graph.stream({"path": []}, config, by="3"))
    assert [chunk async for chunk in graph.astream({"path": []}, config, by="4")]
    await (await graph.asubmit({"path": []}, config, by="5")).aresult(timeout=PATIENCE)
    graph.invoke({"path": []}, config)
    assert [run.by for run in shared.backend.thread(thread_id).runs()] == ["", *"54321"]


def test_a_retry_tells_who_wanted_it(shared: Site, thread_id: str, log: Path) -> None:
    graph, given = shared.graphs["naughty"], {"how": "raise", "log": str(log)}
    with pytest.raises(ValueError, match="out of cheese"):
        graph.invoke(given, on(thread_id), by="alice")
    again = shared.backend.thread(thread_id).retry(by="bob")
    with pytest.raises(ValueError, match="out of cheese"):
        again.result(timeout=PATIENCE)
    lines = shared.backend.thread(thread_id).runs()
    assert [(each.kind, each.by) for each in lines] == [("retry", "bob"), ("start", "alice")]


def test_who_answers_is_said_by_a_short_text(shared: Site, thread_id: str) -> None:
    thread, long = shared.backend.thread(thread_id), "x" * 300
    with pytest.raises(ValueError, match=r"by of resume\(\) has 300 characters"):
        thread.resume(1, by=long)
    with pytest.raises(ValueError, match=r"by of retry\(\) has 300 characters"):
        thread.retry(by=long)


# --- answers --------------------------------------------------------------------------------------


def test_an_answer_tells_who_gave_it_and_when(shared: Site, thread_id: str) -> None:
    ask(shared, thread_id, request="refund")
    thread = shared.backend.thread(thread_id)
    (question,), asking = thread.interrupts, thread.state.checkpoint.id
    assert thread.answers() == []
    run = thread.resume("yes", by="bob")
    run.result(timeout=PATIENCE)
    (told,) = answered(shared, thread_id)
    assert (told.interrupt, told.value, told.by) == (question, "yes", "bob")
    assert (told.run, told.checkpoint) == (run.id, asking)
    assert run.began is not None
    assert told.asked <= told.answered == run.began


def test_answers_of_an_open_superstep_are_listed_too(shared: Site, thread_id: str) -> None:
    graph = shared.graphs["form"]
    graph.invoke({}, on(thread_id))
    graph.invoke(Command(resume="many"), on(thread_id), by="ann")
    assert said(shared, thread_id) == [("age?", "many", "ann")]
    graph.invoke(Command(resume=7), on(thread_id))
    assert graph.invoke(Command(resume="x"), on(thread_id), by="bob") == {"age": 7, "name": "x"}
    assert said(shared, thread_id) == [
        ("name?", "x", "bob"), ("'many' is no number", 7, ""), ("age?", "many", "ann"),
    ]  # fmt: skip
    assert [each.value for each in shared.backend.thread(thread_id).answers(limit=1)] == ["x"]


def test_parallel_questions_have_answers_of_their_own(shared: Site, thread_id: str) -> None:
    ask(shared, thread_id, "panel", asked=["one", "two"])
    thread = shared.backend.thread(thread_id)
    ids = {each.value: each.id for each in thread.interrupts}
    thread.resume({ids["two"]: 2}, by="bob").result(timeout=PATIENCE)
    assert said(shared, thread_id) == [("two", 2, "bob")]
    thread.resume({ids["one"]: 1}, by="ann").result(timeout=PATIENCE)
    assert said(shared, thread_id) == [("one", 1, "ann"), ("two", 2, "bob")]


def test_who_looks_back_in_langgraphs_shapes_sees_the_question(
    shared: Site, thread_id: str
) -> None:
    ask(shared, thread_id, request="refund")
    shared.backend.thread(thread_id).resume("yes", by="bob").result(timeout=PATIENCE)
    history = shared.graphs["approval"].get_state_history(on(thread_id))
    asked = [i for state in history for task in state.tasks for i in task.interrupts]
    assert [i.value for i in asked] == [{"approve": "refund"}]


def test_a_history_tells_who_answered(shared: Site, thread_id: str) -> None:
    graph, config = shared.graphs["form"], on(thread_id)
    graph.invoke({}, config)
    graph.invoke(Command(resume="many"), config, by="ann")
    open_ = [(each.value, each.by) for each in graph.get_state(config).tasks[0].answers]
    assert open_ == [("many", "ann")]
    graph.invoke(Command(resume=7), config)
    graph.invoke(Command(resume="x"), config, by="bob")
    history = graph.get_state_history(config)
    told = [each for state in history for task in state.tasks for each in task.answers]
    assert [(each.value, each.by) for each in told] == [("many", "ann"), (7, ""), ("x", "bob")]
    listed = {each.interrupt.id: each for each in answered(shared, thread_id)}
    for each in told:
        same = listed[each.id]
        assert (each.asked, each.answered, each.by) == (same.asked, same.answered, same.by)


# --- metadata -------------------------------------------------------------------------------------


def test_a_run_has_the_metadata_of_its_config(shared: Site, thread_id: str) -> None:
    about = {"ticket": 17, "tags": ["a", "b"]}
    graph, config = shared.graphs["approval"], on(thread_id)
    first = graph.submit({}, {**config, "metadata": about})
    first.result(timeout=PATIENCE)
    second = shared.backend.thread(thread_id).resume("yes")
    second.result(timeout=PATIENCE)
    assert first.metadata == second.metadata == about
    last = graph.submit({}, {**config, "metadata": {"ticket": 18}})
    last.result(timeout=PATIENCE)
    assert shared.client().run(thread_id, last.id).metadata == {"ticket": 18}


def test_a_run_that_was_forgotten_tells_nothing(shared: Site, thread_id: str) -> None:
    run = ask(shared, thread_id)
    shared.backend.thread(thread_id).delete()
    assert (run.status, run.kind, run.by) == ("unknown", "unknown", "")
    assert (run.began, run.ended, run.metadata) == (None, None, {})
