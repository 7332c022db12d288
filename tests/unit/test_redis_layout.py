"""Constants and rows in the text of a script, and two languages that follow one place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import pytest
import redis

from checkpoint_redis import about, events, folding, layout, source
from checkpoint_redis.folding import LayoutError, fold
from checkpoint_redis.records import AnswerEntry, QuestionEntry, ResultEntry
from tests.support.newer import forget_scripts
from tests.support.thread_driver import LEASE, Driver, nonce, superstep


@pytest.mark.parametrize(
    ("lua", "text"),
    [
        ("if st == STATUS.busy then", "if st == 'busy' then"),
        ("f[TASK.state], f[TASK.token] = 1", "f[2], f[4] = 1"),
        ("P..KEY.header..x", "P..'h'..x"),
        ("now() + LIMIT.outbox_ms", "now() + 2000"),
        ("return {REPLY.gone}", "return {'gone'}"),
        ("call('HGET', H, ns .. FRAME.epoch)", "call('HGET', H, ns .. '/ep')"),
        ("s = 'STATUS.nothing' -- STATUS.nothing", "s = 'STATUS.nothing' "),
        ("s = [[STATUS.nothing]] --[[ TASK{ ]]", "s = [[STATUS.nothing]] "),
        ("A.step.first, BUSY[x], KINDS", "A.step.first, BUSY[x], KINDS"),
    ],
)
def test_a_constant_is_written_out(lua: str, text: str) -> None:
    assert fold(lua) == text


@pytest.mark.parametrize(
    ("lua", "text"),
    [
        ("REFUSED{tid = t, status = s}", "{t, (s)}"),
        ("REFUSED{status = f(1, {2, 3}), tid = t}", "{t, (f(1, {2, 3}))}"),
        ("STEP_EVENT{step = s, checkpoint = c, follows = f}", "{1, c, s, (f)}"),
        ("REFUSED{tid = RUN.joined,\n  status = ',}'}", "{'joined', (',}')}"),
        (
            "PART{cursor = e(REFUSED{tid = a, status = b}), part = x == 1}",
            "{e({a, (b)}), (x == 1)}",
        ),
    ],
)
def test_a_row_is_written_in_its_order(lua: str, text: str) -> None:
    assert fold(lua) == text


def test_fields_of_the_header_are_written_in_the_order_of_their_row() -> None:
    fields = fold("call('HMGET', H, STORED.head)")
    assert fields.startswith("call('HMGET', H, 'graph', 'fp', 'run', '/cp', ")


@pytest.mark.parametrize(
    "lua",
    [
        "STATUS.bsy",
        "STATSU.busy",
        "TASK.colour",
        "REFUSED{status = s}",
        "REFUSED{status = s, tid = t, more = 1}",
        "REFUSED{t, s}",
        "STATUS{busy = 1}",
        "REFUSED{status = s, tid = (t}",
    ],
)
def test_what_layout_does_not_have_is_an_error(lua: str) -> None:
    with pytest.raises(LayoutError):
        fold(lua)


def test_a_row_of_the_header_that_is_no_field_of_it_is_an_error() -> None:
    class Wrong(NamedTuple):
        graph: bytes
        colour: bytes

    with instead({"HeadRow": Wrong}), pytest.raises(LayoutError, match="colour"):
        fold("STORED.head")


def test_a_field_that_is_added_in_one_place_is_asked_of_the_scripts() -> None:
    longer = NamedTuple("TaskRow", [*layout.TaskRow.__annotations__.items(), ("colour", int)])  # type: ignore[misc]
    with instead({"TaskRow": longer}), pytest.raises(LayoutError, match="colour"):
        source.lua("start")


@pytest.mark.redis
def test_both_languages_follow_a_change_of_every_order(
    redis_client: redis.Redis, namespace: str
) -> None:
    before = story(Driver(redis_client, f"{namespace}-before"))
    with instead({known: turned(getattr(layout, known)) for known in folding.ROWS.values()}):
        assert story(Driver(redis_client, f"{namespace}-after")) == before


def turned(row: Any) -> Any:
    """Return a row with its fields from last to first, but for a status, which says what it is."""
    fields = list(row.__annotations__.items())
    first, *rest = fields
    order = [first, *rest[::-1]] if first[0] == "status" else fields[::-1]
    return NamedTuple(row.__name__, order)


@contextmanager
def instead(rows: dict[str, Any]) -> Iterator[None]:
    """Put other rows in the place of those of layout, in every module that has them."""
    modules = [m for name, m in sys.modules.items() if name.startswith("checkpoint_redis")]
    with pytest.MonkeyPatch.context() as patch:
        for name, row in rows.items():
            known = getattr(layout, name)
            for module in modules:
                if getattr(module, name, None) is known:
                    patch.setattr(module, name, row)
        payloads = {
            kind: rows.get(payload.__name__, payload) for kind, payload in events._PAYLOADS.items()
        }
        patch.setattr(events, "_PAYLOADS", payloads)
        forget_scripts()
        try:
            yield
        finally:
            forget_scripts()


def story(d: Driver) -> list[Any]:
    """Lead a thread through every script that has rows; return all that was answered."""
    told: list[Any] = []
    step = replace(superstep("cp-0", "a", "b", ep="ep-0"), caller_writes=(b"written",))
    told += [d.start(step), d.start(step), d.claim("ep-0", "a", "none")]
    lease = d.ledger.claim(
        d.thread, "", "ep-0", ("b",), tok="t", owner="w", lease_ms=LEASE, served=("other@1",)
    )
    told += [lease, d.claim("ep-0", "b"), d.go_on("retry"), d.fail("ep-0", "b", retry_in_ms=0)]
    asks = ResultEntry(
        "a", "", b"question", b"", (QuestionEntry("q1"), QuestionEntry("q2", 10**15))
    )
    told += [
        d.emit(),
        d.ledger.complete(d.thread, "", "ep-0", (asks,), tok="t", tok2="adv", lease_ms=LEASE),
        [replace(each, x="") for each in d.sweep(after_ms=1)],
        d.ledger.outbox(d.thread, "", "ep-0"),
        d.claim("ep-0", "b"),
        d.complete("ep-0", "b"),
        loaded(d),
    ]
    pairs = (AnswerEntry("", "a", "q1", b"one"), AnswerEntry("", "a", "q2", b"two"))
    told.append(d.ledger.answer(d.thread, "run-2", "resume", pairs, rnd="round"))
    told += [d.answer("a", "q1"), d.claim("ep-0", "a"), loaded(d)]
    told += [d.complete("ep-0", "a", rnd="round"), d.commit("ep-0", superstep("cp-1", "c", ep="1"))]
    busy = about.Sought((about.by_status("busy"),))
    page = d.ledger.threads(d.thread.namespace, d.thread.shard, busy, "", 100)
    told.append([(each.graph, each.run) for each in page.threads if each.x == d.thread.x])
    told += [d.claim("1", "c"), d.finish("1", "c", superstep("cp-2", outcome="end", ep="2"))]
    told += [d.ledger.outcome(d.thread, "run-2"), d.ledger.outcome(d.thread, nonce()), loaded(d)]
    told.append(d.ledger.runs(d.thread))
    told = [timeless(each) for each in told]
    found = [events.decode(entry) for entry in d.client.xrange(d.thread.events)]
    return told + [(each.number, each.kind, each.payload._asdict()) for each in found]  # type: ignore[attr-defined]


def timeless(told: Any) -> Any:
    """Return an answer without what differs from one time to another."""
    if isinstance(told, list | tuple):
        return tuple(map(timeless, told))
    if not is_dataclass(told) or isinstance(told, type):
        return told
    own = {each.name: timeless(getattr(told, each.name)) for each in fields(told)}
    timed = {"at", "questions"} if "at" in own else set[str]()
    return own | dict.fromkeys(own.keys() & {"began", "ended", "event_id", "now", *timed})


def loaded(d: Driver) -> Any:
    """Return all that is stored of a thread, but for what differs from one to another."""
    found = d.ledger.load(d.thread)
    assert found is not None
    header = replace(found.header, thread_id="", created=0, upd=0)
    assert found.header.thread_id
    assert found.run is not None
    return replace(found, header=header)
