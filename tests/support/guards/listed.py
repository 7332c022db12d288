"""Guards of lists: what narrows one further, what a line tells of a thread, what is counted."""

from __future__ import annotations

from typing import Any

from checkpoint_redis import about, commands, keys
from checkpoint_redis.about import Sought
from checkpoint_redis.layout import HeaderField, Limit
from checkpoint_redis.readings import ListCount, Listed
from checkpoint_redis.records import QuestionEntry, ResultEntry
from distgraph.checkpoint import formats
from tests.support.guards import Guard
from tests.support.guards.found import GRAPH, at, guard, neighbours, page, start
from tests.support.thread_driver import Driver, nonce


def count(d: Driver, *sets: str, after: str = "", **narrowed: Any) -> ListCount:
    sought = Sought(sets, **narrowed)
    counting = commands.count(d.thread.namespace, d.thread.shard, sought, after)
    return d.ledger.call(counting)


def those(d: Driver, **narrowed: Any) -> list[str]:
    """Return what a list has and a count says, which are the same."""
    sought = Sought((about.ALL,), **narrowed)
    found = d.ledger.threads(d.thread.namespace, d.thread.shard, sought, "", 100)
    assert count(d, about.ALL, **narrowed).threads == len(found.threads)
    return [each.x for each in found.threads]


def metadata_without_a_set_narrow_a_list(d: Driver) -> None:
    start(d, colour="red", note='a,"colour":"blue",b', size=11)
    assert those(d, having=(about.piece("colour", "red"),)) == [d.thread.x]
    assert those(d, having=(about.piece("colour", "blue"),)) == []
    assert those(d, having=(about.piece("colour", "re"),)) == []
    assert those(d, having=(about.piece("colour", "red"), about.piece("size", 1))) == []


def times_narrow_a_list(d: Driver) -> None:
    found = neighbours(d, 3)
    for ms, each in enumerate(found, 1):
        at(1_000 * ms, [each])
    order = [each.thread.x for each in found]
    assert those(d, since="2000", before="3000") == [order[1]]
    assert those(d, since="1001") == order[:0:-1]
    sought = Sought((about.ALL,), before="2000")
    space = d.thread.namespace, d.thread.shard
    late = d.ledger.threads(*space, sought, f"3000-{order[2]}", 100)
    assert [each.x for each in late.threads] == order[:1]
    sought = Sought((about.ALL,), before="3000")
    early = d.ledger.threads(*space, sought, f"1000-{'z' * 24}", 100)
    assert [each.x for each in early.threads] == order[:1]


def many_are_counted_in_slices(d: Driver) -> None:
    start(d, tenant="a")
    others = {f"{n:024}": n + 1 for n in range(Limit.slice + 1)}
    for name in ("all", "g:graph"):
        key = f"{keys.shard_prefix(d.thread.namespace, d.thread.shard)}ix:{name}"
        d.client.zadd(key, others)
    first = count(d, about.ALL, GRAPH)
    assert (first.threads, first.looked) == (Limit.slice, Limit.slice)
    rest = count(d, about.ALL, GRAPH, after=first.place)
    assert (rest.threads, rest.place) == (2, "")
    assert count(d, about.ALL).looked == 0
    # What is read of each thread makes a slice shorter.
    assert count(d, about.ALL, having=("x",)).looked == Limit.listed


def asking(d: Driver, tids: int = 1, size: int = 8) -> None:
    names = [f"t{n}" for n in range(tids)]
    ep = d.started(*names)
    d.claim(ep, *names)
    for tid in names:
        asked = (QuestionEntry(f"{tid} asks", 7),)
        result = ResultEntry(tid, "", tid.encode() * size, questions=asked)
        d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=5_000)


def line(d: Driver) -> Listed:
    found = d.ledger.call(commands.line(d.thread))
    assert found is not None
    return found


def a_line_tells_what_is_asked(d: Driver) -> None:
    asking(d, 2)
    told = {row.iid: (row.deadline, each.blob) for each in line(d).asked for row in each.rows}
    assert told == {"t0 asks": (7, b"t0" * 8), "t1 asks": (7, b"t1" * 8)}
    assert not line(d).more
    assert line(d) == page(d, about.ALL)[1][0]
    d.ledger.cancel(d.thread, "", ep=nonce())
    assert line(d).asked == ()


def a_thread_that_runs_on_tells_what_it_asks(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a")
    d.ask(ep, "a", "q")
    assert [row.iid for each in line(d).asked for row in each.rows] == ["q"]


def a_line_is_bounded(d: Driver) -> None:
    asking(d, Limit.listed_asking + 1)
    assert (len(line(d).asked), line(d).more) == (Limit.listed_asking, True)


def a_large_question_is_left_out(d: Driver) -> None:
    asking(d, 1, Limit.listed_bytes // 2)
    assert (line(d).asked, line(d).more) == ((), True)


def a_newer_question_is_not_read(d: Driver) -> None:
    asking(d)
    d.client.hset(d.thread.header, HeaderField.form, formats.FORMAT + 1)
    assert (line(d).asked, line(d).more) == ((), True)


def a_damaged_question_keeps_no_line_out(d: Driver) -> None:
    asking(d)
    frozen = f"{d.thread.prefix}z"
    d.client.set(frozen, d.client.get(frozen).replace(b":s|", b":s|3:xxx", 1))
    assert (line(d).asked, line(d).more) == ((), True)


def many_fields_end_a_page(d: Driver) -> None:
    few = Limit.listed_fields // (Limit.listed_line + 4 * Limit.listed_asking) + 1
    for each in neighbours(d, few + 2):
        each.ledger.delete(each.thread)
        asking(each, Limit.listed_asking)
    assert len(page(d, about.ALL, limit=Limit.listed)[1]) == few


def packed_questions_end_a_page(d: Driver) -> None:
    """What is read of them counts, also what a line has no room for."""
    few = Limit.inline_writes // 60_000 + 1
    for each in neighbours(d, few + 2):
        each.ledger.delete(each.thread)
        asking(each, 1, 29_000)
    assert len(page(d, about.ALL, limit=Limit.listed)[1]) <= few


GUARDS: tuple[Guard, ...] = (
    guard(metadata_without_a_set_narrow_a_list, " and has_all()", ""),
    guard(metadata_without_a_set_narrow_a_list, "',' .. piece .. ','", "piece"),
    guard(times_narrow_a_list, "A.since == '' and '-inf' or A.since", "'-inf'"),
    guard(times_narrow_a_list, "if A.before ~= '' and", "if false and"),
    guard(times_narrow_a_list, "(not at or tonumber(at) >= tonumber(A.before))", "true"),
    guard(times_narrow_a_list, "(not at or tonumber(at) >= tonumber(A.before))", "not at"),
    guard(
        times_narrow_a_list,
        "'(' .. A.before",
        "A.before",
    ),
    guard(many_are_counted_in_slices, "#A.sets == 1 and #A.having == 0", "false", "count.lua"),
    guard(
        metadata_without_a_set_narrow_a_list, "#A.sets == 1 and #A.having == 0", "true", "count.lua"
    ),
    guard(many_are_counted_in_slices, "#A.sets == 1 and #A.having == 0", "true", "count.lua"),
    guard(
        many_are_counted_in_slices,
        "#A.having > 0 and LIMIT.listed or LIMIT.slice",
        "LIMIT.slice",
        "count.lua",
    ),
    guard(a_line_tells_what_is_asked, "return at_rest[KEY.questions], false", "", "listed.lua"),
    guard(
        a_line_tells_what_is_asked,
        "st ~= STATUS.interrupted and st ~= STATUS.busy",
        "st ~= STATUS.busy",
        "listed.lua",
    ),
    guard(
        a_thread_that_runs_on_tells_what_it_asks,
        "st ~= STATUS.interrupted and st ~= STATUS.busy",
        "st ~= STATUS.interrupted",
        "listed.lua",
    ),
    guard(a_line_is_bounded, "math.min(#found, 2 * LIMIT.listed_asking)", "#found", "listed.lua"),
    guard(a_line_is_bounded, "more or #found > 2 * LIMIT.listed_asking", "more", "listed.lua"),
    guard(a_large_question_is_left_out, "room < 0", "false", "listed.lua"),
    guard(a_newer_question_is_not_read, "needed(number)", "false", "listed.lua"),
    guard(
        a_damaged_question_keeps_no_line_out,
        "pcall(what_is_asked)",
        "true, what_is_asked()",
        "listed.lua",
    ),
    guard(many_fields_end_a_page, " or read_fields > LIMIT.listed_fields", "", "listed.lua"),
    guard(many_fields_end_a_page, " or has_read_much()", "", "threads.lua"),
    guard(
        packed_questions_end_a_page,
        "read_bytes = read_bytes + #cget(FIELD.packed)",
        "",
        "listed.lua",
    ),
)
