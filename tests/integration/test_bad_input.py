"""Bad input gets an error that says what was wrong, and changes nothing."""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from distgraph.errors import (
    AmbiguousResume,
    BrokerUnavailable,
    DistGraphError,
    EmptyInputError,
    NoSuchInterrupt,
    NothingToResume,
    SerializationError,
    StoreUnavailable,
    ThreadNotFound,
)
from distgraph.types import Command, Send
from tests.support.apps.served import register
from tests.support.redis_server import free_port
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = pytest.mark.celery
UNKNOWN = "0" * 32
SECRET = "s3cret-word"


def stored(site: Site) -> dict[bytes, bytes]:
    """Return everything in Redis that belongs to threads of the site."""
    with site.store.client() as client:
        keys = client.scan_iter(f"{site.namespace}{{*}}:*", count=1000)
        return {key: client.dump(key) for key in keys if not key.endswith((b":e", b":due", b":ob"))}


def refused(site: Site, call: Callable[[], Any], kind: type[Exception], *words: str) -> None:
    """Check that `call` raises an error with these words and leaves Redis as it was."""
    before = stored(site)
    with pytest.raises(kind) as raised:
        call()
    for word in words:
        assert word in str(raised.value), str(raised.value)
    assert stored(site) == before


@pytest.fixture
def idle(own_site: Callable[..., Site]) -> Site:
    """An installation without workers: nothing but the client writes to its Redis."""
    return own_site()


@pytest.fixture
def waiting(shared: Site, thread_id: str) -> dict[str, Any]:
    """A thread where two questions wait."""
    config = on(thread_id)
    shared.graphs["panel"].invoke({"asked": ["x", "y"]}, config)
    return config


# --- calls ---------------------------------------------------------------------------------------


def test_a_lease_outlasts_a_heartbeat_that_is_late() -> None:
    with pytest.raises(ValidationError, match="lease=5 must be at least 2 x heartbeat=3"):
        CeleryBackend(lease=5, heartbeat=3)


def test_a_mistyped_setting_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="leese"):
        CeleryBackend("redis://localhost:1/0", leese=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="leese"):
        CeleryBackend.embedded(tmp_path / "data", leese=1)  # type: ignore[call-arg]


def test_a_call_that_goes_on_without_a_thread_id_is_refused(idle: Site) -> None:
    graph = idle.graphs["steps"]
    refused(idle, lambda: graph.invoke(None), ValueError, "thread_id")
    refused(idle, lambda: graph.get_state({}), ValueError, "thread_id")
    refused(idle, lambda: graph.submit(None, {"configurable": {}}), ValueError, "thread_id")


def test_an_input_that_cannot_be_stored_is_refused_by_its_key(idle: Site, thread_id: str) -> None:
    graph = idle.graphs["approval"]
    given = {"request": threading.Lock()}
    refused(idle, lambda: graph.submit(given, on(thread_id)), SerializationError, "request", "lock")


def test_a_packet_that_cannot_be_stored_is_refused_by_its_node(idle: Site, thread_id: str) -> None:
    graph = idle.graphs["panel"]
    given = {"asked": [threading.Lock()]}
    refused(idle, lambda: graph.submit(given, on(thread_id)), SerializationError, "lock")


def test_an_empty_input_is_refused(idle: Site, thread_id: str) -> None:
    graph = idle.graphs["steps"]
    refused(idle, lambda: graph.submit(None, on(thread_id)), EmptyInputError)


def test_an_unknown_node_in_a_goto_is_refused(idle: Site, thread_id: str) -> None:
    graph = idle.graphs["steps"]
    for goto in ("nowhere", Send("nowhere", 1)):
        command = Command(goto=goto)
        refused(idle, partial(graph.submit, command, on(thread_id)), Exception, "nowhere")


@pytest.mark.parametrize(
    ("config", "context", "words"),
    [
        ({"colour": threading.Lock()}, None, ["lock"]),
        ({}, {"tenant": threading.Lock()}, ["lock"]),
        ({}, threading.Lock(), ["lock"]),
    ],
)
def test_a_config_or_context_that_cannot_be_stored_is_refused(
    idle: Site, thread_id: str, config: dict[str, Any], context: Any, words: list[str]
) -> None:
    inner = {"configurable": {"thread_id": thread_id, **config}}
    graph = idle.graphs["told"]
    refused(idle, lambda: graph.submit({}, inner, context=context), SerializationError, *words)


def test_an_answer_that_cannot_be_stored_is_refused(shared: Site, waiting: dict[str, Any]) -> None:
    graph = shared.graphs["panel"]
    asked = graph.get_state(waiting).interrupts
    before = graph.get_state(waiting)
    with pytest.raises(SerializationError, match="lock"):
        graph.invoke(Command(resume={asked[0].id: threading.Lock()}), waiting)
    assert graph.get_state(waiting) == before


# --- resumes -----------------------------------------------------------------------------------


def test_an_answer_to_a_thread_that_waits_for_nothing_is_refused(
    shared: Site, thread_id: str
) -> None:
    graph, config = shared.graphs["steps"], on(thread_id)
    graph.invoke({"path": []}, config)
    before = list(graph.get_state_history(config))
    for value in ("bare", {UNKNOWN: 1}):
        with pytest.raises((NothingToResume, NoSuchInterrupt)):
            graph.invoke(Command(resume=value), config)
    with pytest.raises((NothingToResume, NoSuchInterrupt)):
        shared.backend.thread(thread_id).resume("bare")
    assert list(graph.get_state_history(config)) == before


def test_an_answer_to_a_thread_that_does_not_exist_is_refused(idle: Site, thread_id: str) -> None:
    graph = idle.graphs["approval"]
    refused(idle, lambda: graph.invoke(Command(resume=1), on(thread_id)), DistGraphError)
    refused(idle, lambda: idle.backend.thread(thread_id).resume(1), ThreadNotFound, thread_id)


def test_an_answer_with_an_unknown_id_says_what_is_pending(
    shared: Site, waiting: dict[str, Any]
) -> None:
    graph = shared.graphs["panel"]
    before = graph.get_state(waiting)
    with pytest.raises(NoSuchInterrupt) as refused_:
        graph.invoke(Command(resume={UNKNOWN: 1}), waiting)
    assert set(refused_.value.pending) == {i.id for i in before.interrupts}
    assert graph.get_state(waiting) == before


def test_a_bare_answer_to_several_questions_is_refused(
    shared: Site, waiting: dict[str, Any]
) -> None:
    graph = shared.graphs["panel"]
    before = graph.get_state(waiting)
    with pytest.raises(AmbiguousResume) as refused_:
        graph.invoke(Command(resume="which?"), waiting)
    assert all(asked.id in str(refused_.value) for asked in before.interrupts)
    with pytest.raises(AmbiguousResume):
        shared.backend.thread(waiting["configurable"]["thread_id"]).resume("which?")
    assert graph.get_state(waiting) == before


# --- thread ids ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "x" * 10_000,
        "a:b{c}d|e",
        "line\nfeed\0nul",
        "naïve ☃ 🧊",
        "\ud800",
        " ",
        "{07}",
        "../..",
    ],
    ids=["long", "keys", "control", "unicode", "surrogate", "space", "tag", "path"],
)
def test_a_thread_id_may_have_any_characters(shared: Site, name: str) -> None:
    graph = shared.graphs["approval"]
    graph.invoke({"request": name.encode("utf-8", "replace").decode()[:9]}, on(name))
    assert graph.get_state(on(name)).next == ("approve",)
    assert name in [thread.id for thread in shared.backend.threads("interrupted", limit=10_000)]
    assert graph.invoke(Command(resume=1), on(name))["answer"] == 1
    shared.backend.thread(name).delete()


def test_an_empty_thread_id_is_refused(idle: Site) -> None:
    graph = idle.graphs["steps"]
    refused(idle, lambda: graph.invoke({}, on("")), ValueError, "thread_id")


# --- graphs that nobody serves -----------------------------------------------------------------


def test_a_run_that_nobody_serves_stays_queued_and_all_say_so(
    own_site: Callable[..., Site], thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = own_site()
    queues = ["-Q", f"{site.namespace}.steps,{site.namespace}.approval"]
    (worker,) = site.start(env={"SERVE": "steps"}, options=queues, concurrency=1)
    run = site.graphs["approval"].submit({}, on(thread_id))
    refusal = "stays queued: this worker serves steps@"
    wait_until(lambda: refusal in worker.output, "the log")
    warning = "no live worker serves graph approval@"
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(1) as client:
        followed = client.submit(run.result, timeout=PATIENCE)
        wait_until(lambda: warning in caplog.text, "the warning")
        assert site.backend.thread(thread_id).status == "busy"
        site.start(env={"SERVE": "approval"}, concurrency=1)
        assert followed.result()["__interrupt__"]


# --- the outside ------------------------------------------------------------


def unreachable() -> str:
    return f"redis://:{SECRET}@127.0.0.1:{free_port()}/0"


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("redis", "invoke"),
        ("redis", "ainvoke"),
        ("redis", "get_state"),
        ("redis", "threads"),
        ("broker", "invoke"),
        ("broker", "ainvoke"),
    ],
)
async def test_what_cannot_be_reached_is_named(shared: Site, what: str, how: str) -> None:
    urls = {"redis": shared.store.url, "broker": shared.store.url, what: unreachable()}
    name = f"t-{uuid.uuid4().hex[:8]}"
    reach = 0.5 if what == "redis" else 3.0
    backend = CeleryBackend(urls["redis"], broker=urls["broker"], namespace=name, reach=reach)
    graph = register(backend, ("steps",))["steps"]
    with pytest.raises((StoreUnavailable, BrokerUnavailable)) as raised:  # noqa: PT012 - one call
        match how:
            case "invoke":
                graph.invoke({}, on("t"))
            case "ainvoke":
                await graph.ainvoke({}, on("t"))
            case "get_state":
                graph.get_state(on("t"))
            case _:
                backend.threads("interrupted")
    assert isinstance(raised.value, StoreUnavailable if what == "redis" else BrokerUnavailable)
    assert "127.0.0.1" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_frozen_redis_is_named_and_not_waited_for(
    own_site: Callable[..., Site], new_redis: Callable[..., Any], shared: Site
) -> None:
    server = new_redis()
    site = own_site(store=server, broker=shared.store, reach=0.5)
    with server.paused(), pytest.raises(StoreUnavailable, match=str(server.port)):
        site.graphs["steps"].invoke({}, on("t"))


# --- forged messages -----------------------------------------------------------------------------


def forged(site: Site) -> list[tuple[Any, ...]]:
    """Return arguments that look ever more like a hint."""
    x = site.backend.thread_key("forged").x
    tid = str(uuid.uuid4())
    return [
        (),
        (1,),
        ("1", x, "", "0" * 16, [tid]),
        (1, "no hash", "", "0" * 16, [tid]),
        (1, x, "", "0" * 16, []),
        (1, x, "", "0" * 16, ["@", "@"]),
        (1, x, "", "0" * 16, ["x" * 1_000_000]),
        (1, x, "", "zz", [tid]),
        (2, x, "", "0" * 16, [tid]),
        (1, x, "", "0" * 16, [tid] * 1_001),
        (1, x, "", {"a": 1}, [tid]),
        (1, x, "", "0" * 16, [tid]),  # well formed, of a thread that does not exist
        (1, x, "", "0" * 16, ["@"]),
    ]


def test_forged_messages_are_ignored_and_logged_once(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site()
    (worker,) = site.start(concurrency=1)
    task = f"{site.namespace}.step"
    queue = f"{site.namespace}.steps"
    for args in forged(site):
        site.backend.app.send_task(task, args=args, queue=queue)
    site.backend.app.send_task(task, args=(), kwargs={"v": 1}, queue=queue)
    site.backend.app.send_task("os.system", args=("true",), queue=queue)
    with site.broker.client() as client:
        client.lpush(queue, b"\x00not json", b"\xff", "[]", "7", json.dumps({"body": 1}))
    done = site.graphs["steps"].invoke({"path": []}, on(thread_id))
    assert done["path"] == ["a", "b", "c"]
    assert worker.output.count("no hint") == 1, worker.output
    assert worker.output.count("garbled") == 1, worker.output
    assert worker.alive
    with site.store.client() as client:
        key = site.backend.thread_key("forged").prefix
        assert list(client.scan_iter(f"{key}*", count=1000)) == []


def test_thousands_of_forged_messages_do_not_stop_a_worker(
    own_site: Callable[..., Site], thread_id: str
) -> None:
    site = own_site()
    (worker,) = site.start(concurrency=1)
    args = (1, site.backend.thread_key("forged").x, "", os.urandom(8).hex(), [str(uuid.uuid4())])
    app = site.backend.app
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(2_000):
            app.send_task(
                f"{site.namespace}.step",
                args=args,
                queue=f"{site.namespace}.steps",
                producer=producer,
            )
    assert site.graphs["steps"].invoke({"path": []}, on(thread_id))["path"] == ["a", "b", "c"]
    assert "Traceback" not in worker.output
