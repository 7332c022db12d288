"""An answer reaches its question once, however many people press the button."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from distgraph.errors import NoSuchInterrupt, NothingToResume, ThreadBusy
from distgraph.types import Command
from tests.support.apps.served import register
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE
from workers import CeleryBackend

pytestmark = pytest.mark.celery
TIMES = 100
CLEAR = (NoSuchInterrupt.__name__, NothingToResume.__name__, ThreadBusy.__name__)
_START: list[Barrier] = []
_GRAPHS: list[dict[str, Any]] = []


def _open(barrier: Barrier, urls: tuple[str, str], settings: dict[str, Any]) -> None:
    """Make this process a client of its own."""
    _START.append(barrier)
    backend = CeleryBackend(urls[0], broker=urls[1], **settings)
    _GRAPHS.append(register(backend, ("approval",)))


def _press(thread_id: str, interrupt_id: str, who: str, by_id: bool) -> str:
    """Answer at the same moment as the other; return who won, else the error's name."""
    value = {interrupt_id: who} if by_id else who
    graph = _GRAPHS[0]["approval"]
    _START[0].wait()
    try:
        graph.submit(Command(resume=value), on(thread_id))
    except Exception as error:  # noqa: BLE001 - which one it is, is what is tested
        return type(error).__name__
    return who


@contextmanager
def two_people(site: Site) -> Iterator[ProcessPoolExecutor]:
    fresh = multiprocessing.get_context("spawn")
    told = (
        fresh.Barrier(2),
        (site.store.url, site.broker.url),
        {"namespace": site.namespace, **site.settings},
    )
    with ProcessPoolExecutor(2, mp_context=fresh, initializer=_open, initargs=told) as pool:
        yield pool


def both(pool: ProcessPoolExecutor, thread_id: str, asked: str, *, by_id: bool) -> list[str]:
    pressed: list[Future[str]] = [
        pool.submit(_press, thread_id, asked, who, by_id) for who in ("ann", "bob")
    ]
    return [each.result(PATIENCE) for each in pressed]


def test_of_two_processes_that_answer_at_once_exactly_one_wins(
    shared: Site, thread_id: str
) -> None:
    graph = shared.graphs["approval"]
    threads = [on(f"{thread_id}-{n}") for n in range(TIMES)]
    with ThreadPoolExecutor(4) as clients:
        asked = list(clients.map(lambda config: graph.invoke({}, config), threads))
    with two_people(shared) as people:
        for n, (config, first) in enumerate(zip(threads, asked, strict=True)):
            question = first["__interrupt__"][0].id
            said = both(people, config["configurable"]["thread_id"], question, by_id=n % 2 == 0)
            winners = [who for who in said if who in ("ann", "bob")]
            assert len(winners) == 1, said
            assert set(said) - set(winners) <= set(CLEAR), said
            shared.settle(config["configurable"]["thread_id"])
            state = graph.get_state(config).values
            assert state["answer"] == winners[0]
            assert state["path"] == ["prepare", "approve", "publish"]


def test_an_answer_that_was_given_is_refused_and_says_what_is_pending(
    shared: Site, thread_id: str
) -> None:
    graph, config = shared.graphs["panel"], on(thread_id)
    asked = graph.invoke({"asked": ["x", "y"]}, config)["__interrupt__"]
    x, y = sorted(asked, key=lambda i: str(i.value))
    graph.invoke(Command(resume={x.id: 1}), config)
    before = graph.get_state(config)
    with pytest.raises(NoSuchInterrupt, match=y.id) as refused:
        graph.invoke(Command(resume={x.id: 2}), config)
    assert refused.value.pending == (y.id,)
    assert graph.get_state(config) == before
