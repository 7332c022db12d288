"""Jobs are called by graph and node also where a task goes out again: who watches knows them by it.

The worker's log has those names, as Flower has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from distgraph.types import Command
from tests.support.celery_worker import CeleryWorker
from tests.support.site import Site, lines, on
from tests.support.waiting import wait_until

pytestmark = pytest.mark.celery
RECEIVED = re.compile(r"Task (\S+)\[[0-9a-f-]+\] received")


def received(worker: CeleryWorker) -> list[str]:
    """Return what the jobs were called that a worker has taken."""
    return RECEIVED.findall(worker.output)


@contextmanager
def expecting(worker: CeleryWorker, *names: str) -> Iterator[None]:
    """Expect jobs of those names, and no others, to be taken in the block or soon after."""
    before = len(received(worker))
    yield
    wait_until(lambda: len(received(worker)) - before >= len(names), f"{names} to be taken")
    assert received(worker)[before:] == list(names)


def ask(shared: Site, graph: str, thread_id: str, **given: Any) -> str:
    """Have a graph ask; return the id of its question."""
    asked = shared.graphs[graph].invoke(given, on(thread_id))["__interrupt__"]
    return str(asked[0].id)


def by_invoke(shared: Site, graph: str, thread_id: str, question: str) -> None:
    shared.graphs[graph].invoke(Command(resume="yes"), on(thread_id))


def by_invoke_with_id(shared: Site, graph: str, thread_id: str, question: str) -> None:
    shared.graphs[graph].invoke(Command(resume={question: "yes"}), on(thread_id))


def by_handle(shared: Site, graph: str, thread_id: str, question: str) -> None:
    shared.backend.thread(thread_id).resume("yes").result()


def by_handle_with_id(shared: Site, graph: str, thread_id: str, question: str) -> None:
    shared.backend.thread(thread_id).resume({question: "yes"}).result()


def by_handle_without_code(shared: Site, graph: str, thread_id: str, question: str) -> None:
    with closing(shared.client()) as client:
        client.thread(thread_id).resume("yes")


def by_id_without_code(shared: Site, graph: str, thread_id: str, question: str) -> None:
    with closing(shared.client()) as client:
        client.thread(thread_id).resume({question: "yes"})


ANSWERS = (
    by_invoke,
    by_invoke_with_id,
    by_handle,
    by_handle_with_id,
    by_handle_without_code,
    by_id_without_code,
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answered_task_keeps_its_name(
    shared: Site, thread_id: str, answer: Callable[..., None]
) -> None:
    question = ask(shared, "approval", thread_id, request="r")
    with expecting(shared.workers[0], "approval.approve", "approval.publish"):
        answer(shared, "approval", thread_id, question)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answered_task_of_a_send_keeps_its_name(
    shared: Site, thread_id: str, answer: Callable[..., None]
) -> None:
    question = ask(shared, "panel", thread_id, asked=["a"])
    with expecting(shared.workers[0], "panel.question"):
        answer(shared, "panel", thread_id, question)


def test_a_task_that_failed_for_good_keeps_its_name_when_it_is_retried(
    shared: Site, thread_id: str, log: Path
) -> None:
    with pytest.raises(ConnectionError):
        shared.graphs["fate"].invoke({"plan": ["fail"] * 2, "log": str(log)}, on(thread_id))
    with expecting(shared.workers[0], "fate.suffer"):
        shared.backend.thread(thread_id).retry().result()


def test_a_task_keeps_its_name_when_its_policy_tries_it_again(
    shared: Site, thread_id: str, log: Path
) -> None:
    with expecting(shared.workers[0], "fate.suffer", "fate.suffer"):
        shared.graphs["fate"].invoke({"plan": ["fail"], "log": str(log)}, on(thread_id))


def test_a_task_keeps_its_name_when_the_sweeper_tries_it_again(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site(sweep=0.01)  # no longer than the back-off, so that nobody else looks
    (worker,) = site.start()
    with expecting(worker, "fate.suffer", "fate.suffer"):
        site.graphs["fate"].invoke({"plan": ["fail"], "log": str(log)}, on(thread_id))


def test_a_task_keeps_its_name_when_its_message_was_lost(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site()
    run = site.graphs["steps"].submit({}, on(thread_id))
    with site.broker.client() as client:
        client.delete(*site.queues(client))
    (worker,) = site.start()
    run.result()
    assert received(worker) == ["steps.a", "steps.b", "steps.c"]


def test_a_task_keeps_its_name_when_its_process_dies(
    own_site: Callable[..., Site], thread_id: str, log: Path
) -> None:
    site = own_site()
    (worker,) = site.start()
    with expecting(worker, "fate.suffer", "fate.suffer"):
        site.graphs["fate"].invoke({"plan": ["kill"], "log": str(log)}, on(thread_id))


def test_a_task_keeps_its_name_when_its_worker_dies(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site, gate = own_site(lease=2.0), tmp_path / "gate"
    (first,) = site.start(concurrency=1)
    given = {"width": 1, "log": str(log), "gate": str(gate)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: lines(log), "the node to begin")
    first.kill()
    gate.touch()
    (second,) = site.start(concurrency=1)
    run.result()
    assert received(second) == ["fan.work", "fan.total"]


def test_a_task_keeps_its_name_when_its_worker_hands_it_over(
    own_site: Callable[..., Site], thread_id: str, log: Path, tmp_path: Path
) -> None:
    site, gate = own_site(), tmp_path / "gate"
    (first,) = site.start(concurrency=1)
    given = {"width": 1, "log": str(log), "gate": str(gate)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: lines(log), "the node to begin")
    for child in first.children():
        child.terminate()
    gate.touch()
    (second,) = site.start(concurrency=1)
    run.result()
    taken = received(first) + received(second)
    assert set(taken) == {"fan.work", "fan.total"}
    assert taken.count("fan.work") > 1
