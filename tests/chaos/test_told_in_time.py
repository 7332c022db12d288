"""What is away, or was lost, is told and mended within the seconds that users are promised.

On a machine that has its cores for itself: nothing else in the tests judges by a clock.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from distgraph.config import get_stream_writer
from distgraph.errors import BrokerUnavailable, StoreUnavailable
from distgraph.graph import START, MessagesState, StateGraph
from distgraph.types import Send
from tests.support.apps.served import register
from tests.support.awaited import Runs
from tests.support.command import Shell
from tests.support.distance import far_away
from tests.support.redis_server import RedisServer, free_port
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until
from workers import CeleryBackend

pytestmark = [pytest.mark.celery, pytest.mark.slow]
TOKENS = 30
ERRANDS, WIDTH = "tests.support.apps.errands:graph", 60
DEFAULTS = {"lease": 10.0, "heartbeat": 3.0, "sweep": 1.0}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"took {took:.1f} s"


def unreachable() -> str:
    return f"redis://127.0.0.1:{free_port()}/0"


@pytest.mark.parametrize("words", [("doctor",), ("run", ERRANDS, "--input", "{}"), ("threads",)])
def test_a_command_tells_of_an_unreachable_redis(words: tuple[str, ...], namespace: str) -> None:
    with within(10):
        assert Shell(unreachable(), namespace)(*words).code == 4


def test_the_doctor_tells_of_a_frozen_redis(
    new_redis: Callable[..., RedisServer], namespace: str
) -> None:
    server = new_redis()
    with server.paused(), within(10):
        assert Shell(server.url, namespace)("doctor").code == 4


@pytest.mark.parametrize("away", ["redis", "broker"])
@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_a_call_tells_what_cannot_be_reached(
    redis_server: RedisServer, away: str, how: str
) -> None:
    urls = {"redis": redis_server.url, "broker": redis_server.url, away: unreachable()}
    name = f"t-{uuid.uuid4().hex[:8]}"
    backend = CeleryBackend(urls["redis"], broker=urls["broker"], namespace=name)
    graph = register(backend, ("steps",))["steps"]
    with within(5), pytest.raises((StoreUnavailable, BrokerUnavailable)):  # noqa: PT012 - one call
        if how == "invoke":
            graph.invoke({}, on("t"))
        else:
            await graph.ainvoke({}, on("t"))


def test_a_call_tells_of_a_frozen_redis(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], redis_server: RedisServer
) -> None:
    server = new_redis()
    site = own_site(store=server, broker=redis_server)
    with server.paused(), within(12), pytest.raises(StoreUnavailable):
        site.graphs["steps"].invoke({}, on("t"))


def test_a_lost_queue_is_filled_again(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    fan = f"{site.namespace}.fan"
    site.graphs["steps"].submit({"path": []}, on("waits"))
    run = site.graphs["fan"].submit({"width": 250}, on(thread_id))
    with broker.client() as client:
        assert client.delete(*client.keys(f"{fan}*"))
    site.start(1, options=["-Q", fan])
    with within(15):
        assert run.result(timeout=PATIENCE)["items"] == list(range(250))


def test_a_broker_emptied_in_mid_run_costs_seconds(
    own_site: Callable[..., Site], new_redis: Callable[..., RedisServer], thread_id: str, log: Path
) -> None:
    broker = new_redis()
    site = own_site(broker=broker, **DEFAULTS)
    site.start(2)
    given = {"width": WIDTH, "pause": 0.05, "log": str(log)}
    run = site.graphs["fan"].submit(given, on(thread_id))
    wait_until(lambda: len(lines(log)) >= WIDTH // 3, "a third of the tasks")
    with broker.client() as client:
        client.flushall()
    with within(20):
        run.result(timeout=PATIENCE)


COROUTINES, CHUNKS = 40, 20


class Streamed(TypedDict, total=False):
    names: list[str]
    quiet: bool


def streaming() -> StateGraph[Any]:
    """Many coroutines at once, each with a chunk every 50 ms for a second, or without any."""

    async def stream(state: Streamed) -> dict[str, Any]:
        write = get_stream_writer()
        for n in range(CHUNKS):
            await asyncio.sleep(1 / CHUNKS)
            if not state["quiet"]:
                write(n)
        return {}

    def many(state: Streamed) -> list[Send]:
        return [Send("stream", state) for _ in range(COROUTINES)]

    builder = StateGraph(Streamed)
    builder.add_node("start", lambda _: {})
    builder.add_node("stream", stream)
    builder.add_edge(START, "start")
    builder.add_conditional_edges("start", many, ["stream"])
    return builder


def test_coroutines_that_stream_to_a_far_redis_hold_up_nobody(
    redis_server: RedisServer, namespace: str
) -> None:
    with far_away(redis_server, 0.05) as url:
        backend = CeleryBackend(url, broker=redis_server.url, namespace=namespace)
        graph = streaming().compile(name="streaming", backend=backend)
        took: dict[bool, float] = {}
        with backend.worker(concurrency=4):
            for quiet in (True, True, False):  # the first one opens the connections
                began, given = time.monotonic(), {"quiet": quiet}
                seen = list(graph.stream(given, on(f"{quiet}-{began}"), stream_mode="custom"))
                took[quiet] = time.monotonic() - began
                assert len(seen) == (0 if quiet else COROUTINES * CHUNKS)
    assert took[False] <= 1.3 * took[True], took


class Clock(BaseChatModel):
    """A model whose tokens tell when they were made, one every 60 ms."""

    @property
    def _llm_type(self) -> str:
        return "clock"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for _token in range(TOKENS):
            time.sleep(0.06)
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{time.monotonic()} "))


def test_a_token_is_at_the_client_within_fifty_milliseconds(
    redis_server: RedisServer, namespace: str
) -> None:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [Clock().invoke(state["messages"])]}

    backend = CeleryBackend(redis_server.url, namespace=namespace)
    builder = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer")
    graph = builder.compile(name="tokens", backend=backend)
    late: list[float] = []
    with backend.worker():
        for token, _ in graph.stream({"messages": ["hi"]}, on("t"), stream_mode="messages"):
            late += [time.monotonic() - float(made) for made in str(token.content).split()]
    assert len(late) == TOKENS
    assert median(late) <= 0.05, late


async def test_who_waits_for_ten_thousand_runs_does_next_to_nothing(
    new_redis: Callable[..., RedisServer], namespace: str
) -> None:
    runs = Runs(new_redis(), namespace)
    names = runs.start(10_000)
    reader = runs.backend._carrier._async_means().reader
    tasks = [asyncio.create_task(runs.await_(name)) for name in names]
    await asyncio.to_thread(
        wait_until, lambda: len(reader.ends.waiters) == len(names), "all to wait"
    )
    scripts, used = runs.scripts(), time.process_time()
    await asyncio.sleep(60)
    used, scripts = time.process_time() - used, runs.scripts() - scripts
    assert used < 0.02 * 60, used
    assert scripts <= 5 * 64
    assert runs.reading() == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
