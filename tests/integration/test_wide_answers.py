"""One call that answers many questions, or asks them again: accepted at once, and carried out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkpoint_redis.layout import Limit
from distgraph.errors import NoSuchInterrupt
from distgraph.types import Command
from tests.support.processes import Process
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE, wait_until
from workers.client import starting

pytestmark = pytest.mark.celery
ASKING = Limit.together + 50


@pytest.fixture
def site(own_site: Callable[..., Site]) -> Site:
    made = own_site(lease=10.0, heartbeat=0.5, sweep=0.3)
    made.start(1)
    return made


def asked(site: Site, thread_id: str, width: int = ASKING) -> list[str]:
    """Bring a thread to a pause with many questions; return their ids."""
    names = [f"q{n}" for n in range(width)]
    stopped = site.graphs["panel"].invoke({"asked": names}, on(thread_id))
    return [question.id for question in stopped["__interrupt__"]]


def answers(done: dict[str, Any]) -> int:
    return len([each for each in done["answers"] if each != "quiet"])


def test_all_are_given_or_none(site: Site, thread_id: str) -> None:
    ids = asked(site, thread_id)
    handle, wrong = site.backend.thread(thread_id), "0" * 32
    with pytest.raises(NoSuchInterrupt) as refused:
        handle.resume({**dict.fromkeys(ids, "yes"), wrong: "yes"})
    assert refused.value.unknown == (wrong,)
    assert handle.status == "interrupted"
    assert {question.id for question in handle.interrupts} == set(ids)
    run = handle.resume(dict.fromkeys(ids, "yes"), by="ann")
    assert answers(run.result(timeout=PATIENCE)) == ASKING
    with pytest.raises(NoSuchInterrupt):
        handle.resume(dict.fromkeys(ids, "again"))


def test_what_a_client_has_answered_arrives_though_it_is_killed(
    site: Site, thread_id: str, tmp_path: Path
) -> None:
    asked(site, thread_id)
    told = [site.store.url, site.namespace, thread_id]
    client = Process(
        [sys.executable, "-m", "tests.support.apps.answers_killed", *told],
        log=tmp_path / "client.log",
    )
    try:
        wait_until(lambda: not client.alive, "the client to be killed")
        assert client.returncode == -signal.SIGKILL, client.output
    finally:
        client.end()
    assert site.settle(thread_id) == "idle"
    done = site.graphs["panel"].get_state(on(thread_id)).values
    assert answers(done) == ASKING


def test_many_questions_are_asked_again(site: Site, thread_id: str) -> None:
    ids = asked(site, thread_id)
    handle = site.backend.thread(thread_id)
    again = site.graphs["panel"].invoke(None, on(thread_id))
    anew = [question.id for question in again["__interrupt__"]]
    assert len(anew) == ASKING
    assert set(anew).isdisjoint(ids)
    assert {question.id for question in handle.interrupts} == set(anew)


def test_a_call_that_answers_by_ids_reads_nothing_but_who_asks(
    site: Site, thread_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: Any) -> Any:
        raise AssertionError("the state was read")

    first, *others = asked(site, thread_id)
    monkeypatch.setattr(starting, "load_state", nothing)
    graph = site.graphs["panel"]
    assert len(graph.invoke(answer(first), on(thread_id))["__interrupt__"]) == ASKING - 1
    assert answers(graph.invoke(answer(*others), on(thread_id))) == ASKING


def answer(*ids: str) -> Command[Any]:
    return Command(resume=dict.fromkeys(ids, "yes"))
