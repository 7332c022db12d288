"""A run whose caller chose its id begins once; a thread that was to be new is not gone on with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import redis

from checkpoint_redis.layout import Limit
from distgraph.effects import carry
from distgraph.errors import (
    NoSuchInterrupt,
    ThreadBusy,
    ThreadConflict,
    ThreadExists,
    ThreadNotFound,
)
from distgraph.graph.checks import LONGEST_RUN_ID
from distgraph.types import Command
from tests.support.played import Two
from tests.support.redis_server import RedisServer
from tests.support.site import on
from workers import CeleryBackend, Run
from workers.client.carrier import perform

pytestmark = pytest.mark.redis
GIVEN: Any = {"log": ["input"]}


@pytest.fixture
def two(redis_server: RedisServer, redis_client: redis.Redis, namespace: str) -> Two:
    return Two(CeleryBackend(redis_server.url, namespace=namespace), redis_client)


def runs(two: Two, thread_id: str = "t") -> list[str]:
    return [run.id for run in two.backend.thread(thread_id).runs()]


def test_the_same_run_is_submitted_twice(two: Two) -> None:
    first = two.graph.submit(GIVEN, on("t"), run_id="order/4711", stream_mode=["values"])
    again = two.graph.submit(GIVEN, on("t"), run_id="order/4711")
    assert first.id == again.id == "order/4711"
    assert (again.thread_id, again.status, again.kind) == ("t", "pending", "start")
    assert runs(two) == ["order/4711"]


async def test_on_a_loop_too_and_by_a_uuid(two: Two) -> None:
    chosen = uuid.uuid4()
    first = await two.graph.asubmit(GIVEN, on("t"), run_id=chosen)
    again = await two.graph.asubmit(GIVEN, on("t"), run_id=str(chosen))
    assert first.id == again.id == str(chosen)
    assert runs(two) == [str(chosen)]


@pytest.mark.parametrize("ends", ["error", "interrupted"])
def test_a_run_that_ended_is_known_and_so_is_one_with_others_after_it(two: Two, ends: str) -> None:
    first = two.graph.submit(GIVEN, on("t"), run_id="one")
    two.play(ends)
    assert two.graph.submit(GIVEN, on("t"), run_id="one").status == ends == first.status
    for n in range(Limit.lines):
        two.backend.thread("t").cancel()
        two.graph.submit(GIVEN, on("t"), run_id=f"later {n}".replace(" ", "-"))
    before = runs(two)
    assert two.graph.submit(GIVEN, on("t"), run_id="one").status == ends
    assert runs(two) == before


def test_an_answer_is_submitted_twice(two: Two) -> None:
    two.begin("interrupted")
    (question,) = two.backend.thread("t").interrupts
    answer: Any = Command(resume={question.id: "yes"})
    first = two.graph.submit(answer, on("t"), run_id="answer")
    assert two.graph.submit(answer, on("t"), run_id="answer").id == first.id == "answer"
    with pytest.raises(NoSuchInterrupt):
        two.graph.submit(answer, on("t"), run_id="another")
    assert runs(two)[0] == "answer"
    assert len(runs(two)) == 2


def at(two: Two, number: int, happens: Callable[[], object], call: Callable[[], Run]) -> Run:
    """Let something happen before the ``number``th thing that ``call`` asks for."""
    carrier: Any = two.backend._carrier
    means, asked = carrier._means(), list[Any]()

    def answer(effect: Any) -> Any:
        asked.append(effect)
        if len(asked) == number:
            del carrier.perform
            happens()
        return perform(means, effect)

    carrier.perform = partial(carry, perform=answer)
    return call()


def calls(two: Two) -> dict[str, Callable[[], Any]]:
    """Return what may be submitted on a thread that asks, each as another process does it."""
    return {
        "start": lambda: two.graph.submit(GIVEN, on("new"), run_id="r"),
        "new": lambda: two.graph.submit(GIVEN, on("new"), run_id="r", if_new=True),
        "unnamed": lambda: two.graph.submit(GIVEN, run_id="r"),
        "answer": lambda: two.graph.submit(Command(resume="yes"), on("t"), run_id="r"),
        "again": lambda: two.graph.submit(None, on("t"), run_id="r"),
    }


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("call", ["start", "new", "unnamed", "answer", "again"])
def test_of_two_processes_both_get_the_same_run(two: Two, call: str, number: int) -> None:
    """The other one comes whole before each step of this one."""
    two.begin("interrupted")
    submit, others = calls(two)[call], list[Run]()

    run = at(two, number, lambda: others.append(submit()), submit)
    assert run.id == others[0].id == "r"
    assert run.thread_id == others[0].thread_id
    assert runs(two, run.thread_id).count("r") == 1


def test_what_is_refused_is_refused_with_an_id_too(two: Two) -> None:
    two.graph.submit(GIVEN, on("t"), run_id="one")
    with pytest.raises(ThreadBusy, match="one"):
        two.graph.submit(GIVEN, on("t"), run_id="two")
    with pytest.raises(ThreadNotFound):
        two.graph.submit(None, on("nobody"), run_id="three")
    assert runs(two) == ["one"]


# --- without a thread, and on two of them ---------------------------------------------------------


def test_without_a_thread_the_run_begins_one_of_its_id(two: Two) -> None:
    first = two.graph.submit(GIVEN, run_id="order-1")
    assert two.graph.submit(GIVEN, run_id="order-1").id == first.id == first.thread_id == "order-1"
    assert [info.id for info in two.backend.threads()] == ["order-1"]


def test_a_thread_that_happens_to_have_that_id_is_left_alone(two: Two) -> None:
    two.begin("error")
    with pytest.raises(ThreadExists, match="'t' is stored already"):
        two.graph.submit(GIVEN, run_id="t")
    assert len(runs(two)) == 1
    two.graph.submit(GIVEN, on("t"), run_id="t")
    assert runs(two)[0] == "t"


def test_an_id_that_another_thread_uses_is_refused(two: Two) -> None:
    two.graph.submit(GIVEN, on("one"), run_id="r")
    with pytest.raises(ValueError, match=r"'r' is that of a run on thread 'one', .* thread 'two'"):
        two.graph.submit(GIVEN, on("two"), run_id="r")
    assert [info.id for info in two.backend.threads()] == ["one"]
    two.backend.thread("one").cancel()
    two.backend.thread("one").delete()
    assert two.graph.submit(GIVEN, on("two"), run_id="r").thread_id == "two"
    with pytest.raises(ValueError, match="thread 'two'"):
        two.graph.submit(GIVEN, on("one"), run_id="r")


def test_a_run_that_never_began_keeps_no_id(two: Two, redis_client: redis.Redis) -> None:
    with pytest.raises(ThreadNotFound):
        two.graph.submit(Command(resume="?"), on("nobody"), run_id="r")
    two.graph.submit(GIVEN, on("t"), run_id="r")
    (key,) = redis_client.scan_iter(f"{two.backend.namespace}:run:*")
    assert 0 < int(redis_client.pttl(key)) <= Limit.record_ms


# --- the form of an id ----------------------------------------------------------------------------


@pytest.mark.parametrize("run_id", ["", "a b", "x" * 101, "ü", "a\n", "\ud800", "\0"])
def test_an_id_is_short_and_visible(two: Two, run_id: str) -> None:
    with pytest.raises(ValueError, match=r"run_id of submit\(\) must be a UUID, or 1 to 100"):
        two.graph.submit(GIVEN, on("t"), run_id=run_id)
    assert two.backend.threads() == []


@pytest.mark.parametrize("options", [{"run_id": 7}, {"run_id": b"r"}, {"if_new": "yes"}])
def test_an_option_of_another_type_is_refused(two: Two, options: Any) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        two.graph.submit(GIVEN, on("t"), **options)


@pytest.mark.parametrize("options", [{"run_id": "r"}, {"if_new": True}])
def test_only_submit_takes_them(two: Two, options: Any) -> None:
    for call in (two.graph.invoke, lambda *a, **k: list(two.graph.stream(*a, **k))):
        with pytest.raises(TypeError, match=next(iter(options))):
            call(GIVEN, on("t"), **options)


def test_an_id_fits_into_what_is_kept_of_a_run() -> None:
    assert Limit.run_id >= LONGEST_RUN_ID


@pytest.mark.parametrize(
    "run_id", ["~" * 100, "0B1F7E2C-9D3A-4C55-8E61-2F4A7B90C3D8", "a|b@c/d:e;f", "-1"]
)
def test_an_odd_id_is_found_again_after_another_run(two: Two, run_id: str) -> None:
    two.graph.submit(GIVEN, on("t"), run_id=run_id)
    two.backend.thread("t").cancel()
    two.graph.submit(GIVEN, on("t"))
    assert two.backend.run("t", run_id).status == "cancelled"
    assert two.graph.submit(GIVEN, on("t"), run_id=run_id).id == runs(two)[1] == run_id


# --- a thread that is to be new -------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["busy", "error", "interrupted", "idle"])
def test_a_thread_that_is_stored_is_not_new(two: Two, ends: str) -> None:
    two.graph.submit(GIVEN, on("t"), if_new=True)
    if ends in ("error", "interrupted"):
        two.play(ends)
    elif ends == "idle":
        two.backend.thread("t").cancel()
    before = two.loaded()
    with pytest.raises(ThreadExists, match="'t' is stored already") as raised:
        two.graph.submit(GIVEN, on("t"), if_new=True)
    assert isinstance(raised.value, ThreadConflict)
    assert two.loaded() == before


@pytest.mark.parametrize("ends", ["busy", "error"])
@pytest.mark.parametrize("number", range(1, 5))
def test_who_begins_a_thread_second_is_refused(two: Two, number: int, ends: str) -> None:
    def happens() -> None:
        two.graph.submit(GIVEN, on("t"))
        if ends != "busy":
            two.play(ends)

    with pytest.raises(ThreadExists):
        at(two, number, happens, lambda: two.graph.submit(GIVEN, on("t"), if_new=True))
    assert len(runs(two)) == 1


@pytest.mark.parametrize("given", [None, Command(resume=1), Command(goto="b")])
def test_what_goes_on_begins_nothing(two: Two, given: Any) -> None:
    with pytest.raises(ValueError, match="if_new=True begins a thread"):
        two.graph.submit(given, on("t"), if_new=True)


# --- a thread that is not there -------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, Command(resume=1), Command(update={"log": []}, goto="b")])
def test_what_goes_on_needs_a_thread(two: Two, given: Any) -> None:
    for call in (two.graph.submit, two.graph.invoke):
        with pytest.raises(ThreadNotFound, match="'nobody'"):
            call(given, on("nobody"))
    assert two.backend.threads() == []


async def test_every_call_of_a_handle_needs_a_thread(two: Two) -> None:
    handle = two.backend.thread("nobody")
    for name in dir(handle):
        if not name.startswith("_") and name != "id":
            await _needs_a_thread(handle, name)
    with pytest.raises(ThreadNotFound, match="'nobody'"):
        two.backend.run("nobody", "r")


async def _needs_a_thread(handle: Any, name: str) -> None:
    with pytest.raises(ThreadNotFound, match="'nobody'"):
        await _told(handle, name)


async def _told(handle: Any, name: str) -> Any:
    given = ["yes"] if name in ("resume", "aresume") else []
    found = getattr(handle, name)(*given)
    return await found
