"""Lists of threads: order, pages, filters, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import redis

from checkpoint_redis import about, keys
from checkpoint_redis.layout import Limit
from distgraph.constants import START
from distgraph.graph.state import StateGraph
from distgraph.types import interrupt
from tests.support.played import Two
from tests.support.redis_server import RedisServer
from tests.support.site import on
from tests.support.thread_driver import Driver
from tests.support.waiting import wait_until
from workers import CeleryBackend
from workers.cli.exits import CommandError
from workers.cli.values import read_metadata
from workers.client import listing
from workers.client.listed import ThreadInfo, UnreadableValue

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


def ids(found: list[ThreadInfo]) -> list[str]:
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
    monkeypatch.setattr(listing, "LOOKED", Limit.listed)
    started(graph_of(backend), "t", color="red", tenant="a")
    many = {f"{n:024}": n for n in range(Limit.listed + 1)}
    backend.ledger.client.zadd(keys.index(backend.namespace, 0, about.ALL), many)
    for call in (backend.threads, backend.count_threads):
        with pytest.raises(ValueError, match=r"'color' alone.*graph_id, assistant_id, tenant"):
            call(metadata={"color": "blue"})
        assert not call(metadata={"color": "blue", "tenant": "a"})
        assert call(metadata={"color": "red", "tenant": "a"})
    assert ids(backend.threads(metadata={"color": "red"}, limit=1)) == ["t"]


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


# --- times ----------------------------------------------------------------------------------------


def test_a_list_is_of_what_changed_between_two_times(backend: CeleryBackend) -> None:
    graph = graph_of(backend)
    for n in range(5):
        started(graph, f"t{n}")
    times = [info.updated for info in backend.threads()][::-1]
    one = timedelta(milliseconds=1)
    assert ids(backend.threads(since=times[3])) == ["t4", "t3"]
    assert ids(backend.threads(until=times[2])) == ["t1", "t0"]
    assert ids(backend.threads(since=times[1], until=times[3])) == ["t2", "t1"]
    assert ids(backend.threads(since=times[1] + one / 2, until=times[3] + one / 2)) == ["t3", "t2"]
    elsewhere = times[1].astimezone(timezone(timedelta(hours=5)))
    assert ids(backend.threads(since=elsewhere, until=times[2])) == ["t1"]
    (first,) = backend.threads(since=times[1], until=times[3], limit=1)
    assert ids(backend.threads(since=times[1], until=times[3], after=first.cursor)) == ["t1"]
    newest = backend.threads()[0].cursor
    assert ids(backend.threads(until=times[1], after=newest)) == ["t0"]
    earliest = datetime.min.replace(tzinfo=UTC)
    assert backend.threads(since=times[4] + one) == backend.threads(until=earliest) == []


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_has_a_zone(backend: CeleryBackend, name: str) -> None:
    given: Any = {name: datetime(2026, 1, 1)}  # noqa: DTZ001 that is what is refused
    for call in (backend.threads, backend.count_threads):
        with pytest.raises(ValueError, match=f"{name} must have a time zone"):
            call(**given)


# --- how many -------------------------------------------------------------------------------------


def test_threads_are_counted_as_they_are_listed(backend: CeleryBackend) -> None:
    graph, other = graph_of(backend), graph_of(backend, "other")
    for n in range(12):
        started(graph if n % 3 else other, f"t{n}", tenant="ab"[n % 2], color=n % 4)
    backend.thread("t1").cancel()
    middle = backend.threads()[6].updated
    filters: list[dict[str, Any]] = [
        {},
        {"status": "busy"},
        {"status": "busy", "graph": "g"},
        {"graph": "none"},
        {"metadata": {"tenant": "a"}},
        {"metadata": {"tenant": "a", "color": 2}, "graph": "g"},
        {"metadata": {"color": 1.0}},
        {"since": middle},
        {"until": middle, "graph": "other"},
        {"since": middle, "metadata": {"color": 3}},
    ]
    for given in filters:
        assert backend.count_threads(**given) == len(backend.threads(**given)), given
    assert backend.count_threads() == 12


def test_many_are_counted_in_slices(backend: CeleryBackend) -> None:
    """More than one script looks at, in two sets of one shard."""
    many = dict.fromkeys((f"{n:024}" for n in range(2 * Limit.slice + 1)), 7)
    for name in (about.by_status("idle"), about.by_graph("g")):
        backend.ledger.client.zadd(keys.index(backend.namespace, 0, name), many)
    assert backend.count_threads("idle", "g") == len(many)


# --- what they ask --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Price:
    """A value that another process does not know."""

    euros: int


def played(backend: CeleryBackend, client: redis.Redis, name: str, *values: Any) -> Two:
    """Return a thread of which one task asks so many things."""
    two = Two(backend, client, name)
    two.begin("interrupted", *values)
    return two


def test_a_line_tells_what_waits(backend: CeleryBackend, redis_client: redis.Redis) -> None:
    played(backend, redis_client, "t", {"pay": 3}, "sure?")
    (info,) = backend.threads()
    assert [question.value for question in info.interrupts] == [{"pay": 3}, "sure?"]
    assert info.interrupts == backend.thread("t").interrupts
    assert (info.more, info.deadline) == (False, None)
    assert backend.thread("t").info == info
    backend.thread("t").cancel()
    (info,) = backend.threads()
    assert info.interrupts == ()


def test_the_first_deadline_is_told(backend: CeleryBackend, redis_client: redis.Redis) -> None:
    d = Driver(redis_client, backend.namespace)
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1", deadline=5_000)
    d.ask(ep, "b", "q2", deadline=3_000)
    (info,) = backend.threads("interrupted")
    assert info.deadline == datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)
    assert [type(each.value) for each in info.interrupts] == [UnreadableValue] * 2


def test_a_value_that_is_not_known_here_hides_no_other(
    backend: CeleryBackend, redis_server: RedisServer, redis_client: redis.Redis
) -> None:
    owner = CeleryBackend(redis_server.url, namespace=backend.namespace, types=[Price])
    played(owner, redis_client, "dear", Price(3))
    played(owner, redis_client, "plain", "sure?")
    (plain, dear) = backend.threads()
    assert plain.interrupts[0].value == "sure?"
    assert "Price" in str(dear.interrupts[0].value)
    assert isinstance(dear.interrupts[0].value, UnreadableValue)
    (_, dear) = owner.threads()
    assert dear.interrupts[0].value == Price(3)


def test_of_what_many_tasks_ask_a_line_tells_some(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    d = Driver(redis_client, backend.namespace)
    tids = [f"task-{n}" for n in range(Limit.packed_fields)]
    ep = d.started(*tids)
    d.claim(ep, *tids)
    for tid in tids:
        d.ask(ep, tid, f"{tid} asks")
    (info,) = backend.threads()
    assert 0 < len(info.interrupts) <= Limit.listed_asking
    assert info.more


def test_a_large_question_is_left_out(backend: CeleryBackend, redis_client: redis.Redis) -> None:
    played(backend, redis_client, "t", "x" * Limit.listed_bytes)
    (info,) = backend.threads()
    assert (info.interrupts, info.more) == ((), True)


def test_a_damaged_thread_keeps_no_other_out(
    backend: CeleryBackend, redis_client: redis.Redis
) -> None:
    for name in "abc":
        two = played(backend, redis_client, name, "?")
        frozen = f"{two.d.thread.prefix}z"
        stored: Any = redis_client.get(frozen)
        head, field, packed = stored.partition(b":s|")
        length, colon, rest = packed.partition(b":")
        damaged = {
            "a": head + field + length + colon + b"x" + rest[1:],
            "b": stored.replace(b'[[1,"', b'[[7,"'),
        }
        redis_client.set(frozen, damaged.get(name, stored))
    assert [(i.id, len(i.interrupts), i.more) for i in backend.threads()] == [
        ("c", 1, False), ("b", 0, True), ("a", 0, True),
    ]  # fmt: skip


def waiting(backend: CeleryBackend, client: redis.Redis, count: int) -> None:
    """Store so many threads that ask, each a copy of one."""
    one = played(backend, client, "t", "sure?").d.thread
    (info,) = backend.threads()
    pipe: Any = client.pipeline(transaction=False)
    stored = {kind: client.dump(f"{one.prefix}{kind}") for kind in "hz"}
    for n in range(count - 1):
        other = keys.Thread(one.namespace, f"t{n}")
        for kind, blob in stored.items():
            pipe.restore(f"{other.prefix}{kind}", 0, blob)
        changed = int(info.updated.timestamp() * 1_000) - n // 3
        pipe.hset(other.header, mapping={"id": other.thread_id, "upd": changed})
        for name in (about.ALL, about.by_status("interrupted"), about.by_graph("chain")):
            pipe.zadd(keys.index(one.namespace, other.shard, name), {other.x: changed})
    pipe.execute()


def counted_trips(backend: CeleryBackend, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the size of each pipeline and a 1 for each single command."""
    client, trips = backend.ledger.client, list[int]()
    pipeline, execute = client.pipeline, client.execute_command

    def counting(**options: Any) -> Any:
        pipe = pipeline(**options)
        send = pipe.execute

        def sent(**given: Any) -> Any:
            trips.append(len(pipe.command_stack))
            return send(**given)

        pipe.execute = sent
        return pipe

    def single(*words: Any, **options: Any) -> Any:
        trips.append(1)
        return execute(*words, **options)

    monkeypatch.setattr(client, "pipeline", counting)
    monkeypatch.setattr(backend.ledger, "_execute", single)
    return trips


def test_a_page_of_many_waiting_threads_takes_few_round_trips(
    backend: CeleryBackend, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 of them, with what they ask; also when Redis has forgotten the scripts."""
    waiting(backend, redis_client, 5_000)
    redis_client.script_flush()
    trips = counted_trips(backend, monkeypatch)
    page = backend.threads("interrupted", limit=100)
    assert [len(info.interrupts) for info in page] == [1] * 100
    assert len(trips) <= 4
    trips.clear()
    seen = ids(page)
    while page := backend.threads("interrupted", limit=1_000, after=page[-1].cursor):
        seen += ids(page)
    assert len(set(seen)) == 5_000
    for _ in range(2):
        trips.clear()
        assert backend.count_threads("interrupted", "chain") == 5_000
    assert len(trips) == 1
