"""Lists of threads: order, pages, filters, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from checkpoint_redis import about
from checkpoint_redis.layout import Limit
from distgraph.constants import START
from distgraph.graph.state import StateGraph
from distgraph.types import interrupt
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.waiting import wait_until
from workers import CeleryBackend
from workers.cli.exits import CommandError
from workers.cli.values import read_metadata
from workers.client import listing

pytestmark = pytest.mark.redis


@pytest.fixture
def backend(redis_server: RedisServer, namespace: str) -> Iterator[CeleryBackend]:
    backend = CeleryBackend(redis_server.url, broker="memory://", namespace=namespace)
    yield backend
    backend.close()


def graph_of(backend: CeleryBackend, name: str = "g") -> Any:
    builder: Any = StateGraph(dict)
    builder.add_node("a", lambda _: interrupt("?"))
    builder.add_edge(START, "a")
    return builder.compile(name=name, backend=backend)


def started(graph: Any, thread_id: str, **metadata: Any) -> None:
    """Start a run, and let a millisecond pass: within one threads have no order."""
    graph.submit({}, {**on(thread_id), "metadata": metadata})
    client = graph.backend.ledger.client
    now = milliseconds(client)
    wait_until(lambda: milliseconds(client) > now, "time to pass")


def milliseconds(client: Any) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1_000 + int(micros) // 1_000


def ids(found: list[listing.ThreadInfo]) -> list[str]:
    return [info.id for info in found]


def test_the_last_changed_comes_first_page_by_page(backend: CeleryBackend) -> None:
    graph, names = graph_of(backend), [f"t{n:02}" for n in range(30)]
    for name in names:
        started(graph, name)
    everything = backend.threads(limit=1_000)
    assert sorted(ids(everything)) == names
    assert [info.updated for info in everything] == sorted(
        (info.updated for info in everything), reverse=True
    )
    seen, after = list[str](), ""
    while page := backend.threads(limit=7, after=after):
        seen += ids(page)
        after = page[-1].cursor
    assert seen == ids(everything)
    backend.thread("t00").cancel()
    assert ids(backend.threads(limit=1)) == ["t00"]


async def test_a_loop_is_told_the_same(backend: CeleryBackend) -> None:
    graph = graph_of(backend)
    for n in range(9):
        started(graph, f"t{n}", tenant="acme" if n % 2 else "other")
    assert await backend.athreads() == backend.threads()
    narrowed = await backend.athreads("interrupted", "g", 3, metadata={"tenant": "acme"})
    assert narrowed == backend.threads("interrupted", "g", 3, metadata={"tenant": "acme"})
    (last,) = await backend.athreads(limit=1)
    assert await backend.athreads(after=last.cursor) == backend.threads(after=last.cursor)
    with pytest.raises(ValueError, match="asleep"):
        await backend.athreads("asleep")


def test_a_page_of_many_threads_of_one_shard_is_whole(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    """More of them are newer than the others than are asked for at first."""
    graph, shard = graph_of(backend), backend.thread_key("0").shard
    same = [str(n) for n in range(3_000) if backend.thread_key(str(n)).shard == shard][:20]
    for name in ("early", *same):
        started(graph, name)
    assert ids(backend.threads(limit=20)) == same[::-1]
    assert ids(backend.threads(limit=21))[-1] == "early"


def test_a_thread_tells_when_it_was_created_and_with_what(backend: CeleryBackend) -> None:
    before = datetime.now(UTC)
    started(graph_of(backend), "t", tenant="a", n=1, big="x" * 300, parts=["no scalar"])
    (info,) = backend.threads()
    assert info.metadata == {"tenant": "a", "n": 1}
    assert abs((info.created - before).total_seconds()) < 60
    assert info.updated >= info.created
    assert backend.thread("t").info == info


def test_filters_narrow_each_other(backend: CeleryBackend) -> None:
    graph, other = graph_of(backend), graph_of(backend, "other")
    started(graph, "a1", tenant="a", n=1)
    started(graph, "a2", tenant="a", n=2)
    started(graph, "b1", tenant="b", n=1)
    started(other, "o1", tenant="a", n=1)
    backend.thread("a2").cancel()
    assert ids(backend.threads(metadata={"tenant": "a"}, graph="g")) == ["a2", "a1"]
    assert ids(backend.threads("idle", metadata={"tenant": "a"})) == ["a2"]
    assert ids(backend.threads(metadata={"n": 1, "tenant": "a"})) == ["o1", "a1"]
    assert ids(backend.threads(metadata={"n": 1}, graph="g")) == ["b1", "a1"]
    assert backend.threads(metadata={"n": 1.0}) == backend.threads(metadata={"n": True}) == []
    assert backend.threads(metadata={"tenant": "c"}) == backend.threads(graph="none") == []


def test_two_pieces_of_metadata_with_one_mark_are_told_apart(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(about, "mark", lambda *_: "same")
    started(graph_of(backend), "a", tenant="a")
    started(graph_of(backend), "b", tenant="b")
    assert ids(backend.threads(metadata={"tenant": "b"})) == ["b"]


def test_metadata_without_an_index_are_looked_for_within_a_bound(
    backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED", 8)
    graph = graph_of(backend)
    shard = backend.thread_key("0").shard
    same = [str(n) for n in range(3_000) if backend.thread_key(str(n)).shard == shard][:20]
    for name in same:
        started(graph, name, color="red", tenant="a")
    with pytest.raises(ValueError, match=r"'color' alone.*graph_id, assistant_id, tenant"):
        backend.threads(metadata={"color": "blue"})
    assert backend.threads(metadata={"color": "blue", "tenant": "b"}) == []
    assert ids(backend.threads(metadata={"tenant": "a"})) == same[::-1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "asleep"}, "idle, busy, interrupted, error"),
        ({"after": "t00"}, "not the cursor"),
        ({"limit": 0}, "1 or more"),
    ],
)
def test_what_nobody_can_look_for_is_refused(
    backend: CeleryBackend, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        backend.threads(**given)


@pytest.mark.parametrize(
    "given", [{"status": 1}, {"graph": 5}, {"after": 5}, {"limit": "3"}, {"metadata": 3}]
)
def test_what_has_another_type_is_refused(backend: CeleryBackend, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(given))):
        backend.threads(**given)


@pytest.mark.parametrize("value", [None, ["a"], {"b": 1}, "x" * 300])
def test_only_what_is_kept_can_be_looked_for(backend: CeleryBackend, value: Any) -> None:
    with pytest.raises(TypeError, match="are not kept with a thread"):
        backend.threads(metadata={"tenant": value})


def test_a_list_looks_at_the_page_and_little_more(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    graph = graph_of(backend)
    for n in range(40):
        started(graph, str(n), tenant="a")
    redis_client.config_resetstat()
    assert len(backend.threads(metadata={"tenant": "a"}, limit=5)) == 5
    calls: Any = redis_client.info("commandstats")
    assert "cmdstat_scan" not in calls
    assert calls["cmdstat_zrevrangebyscore"]["calls"] == 64
    assert Limit.listed * 16 <= 5_000, "fields of one script"


def test_metadata_on_the_command_line_are_json_or_texts() -> None:
    given = ["tenant=acme", "n=1", "on=true", 'text="1"', "list=[1]", "eq=a=b", "none="]
    assert read_metadata(given) == {
        "tenant": "acme",
        "n": 1,
        "on": True,
        "text": "1",
        "list": "[1]",
        "eq": "a=b",
        "none": "",
    }
    with pytest.raises(CommandError, match="'tenant': it is KEY=VALUE"):
        read_metadata(["tenant"])
