"""Guards of questions that are looked up by their ids, whoever else asks."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.layout import Limit, QuestionId, ThreadKey
from checkpoint_redis.records import QuestionEntry, ResultEntry
from tests.support.guards import Guard
from tests.support.thread_driver import LEASE, Driver

LONG = "a-task-whose-id-is-long"


def asked(d: Driver, *iids: str) -> dict[str, tuple[str, bytes]]:
    found = d.ledger.call(commands.asked(d.thread, iids))
    assert found is not None
    return dict(found.waiting)


def asking(d: Driver, *tids: str, size: int = 1) -> str:
    """Have tasks ask "q of <task>"; `last` runs beside them."""
    ep = d.started(*tids, "last")
    d.claim(ep, *tids, "last")
    for tid in tids:
        result = ResultEntry(
            tid, "", tid[:1].encode() * size, questions=(QuestionEntry(f"q of {tid}"),)
        )
        d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    return ep


def who_asks_is_found_by_the_id(d: Driver) -> None:
    ep = asking(d, "a", "b")
    wanted = {"q of b": ("b", b"b")}
    assert asked(d, "q of b", "unknown") == wanted
    d.complete(ep, "last")
    assert d.status == "interrupted"
    assert asked(d, "q of b", "unknown") == wanted


def a_question_that_was_answered_is_not_found(d: Driver) -> None:
    asking(d, "a", "b")
    assert d.answer("b", "q of b").status == "joined"
    assert asked(d, "q of a", "q of b").keys() == {"q of a"}
    assert d.client.hexists(f"{d.thread.prefix}{ThreadKey.tasks}", "q|q of b") == 0


def a_graph_that_stopped_asks_nothing(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", QuestionId.stopped)
    assert asked(d, QuestionId.stopped) == {}


def who_asks_is_named_once_while_it_waits(d: Driver) -> None:
    ep = d.started(LONG)
    d.claim(ep, LONG)
    d.ask(ep, LONG, "q")
    assert (
        d.client.get(f"{d.thread.prefix}{ThreadKey.frozen}").count(LONG.encode()) == 2
    )  # the other one is its argument
    assert asked(d, "q") == {"q": (LONG, b"question")}


def no_more_comes_than_a_reply_holds(d: Driver) -> None:
    asking(d, "a", "b", "c", size=Limit.inline_writes * 2 // 5)
    assert asked(d, "q of a", "q of b", "q of c").keys() == {"q of a", "q of b"}


def what_a_task_asks_comes_once(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    asks = tuple(QuestionEntry(f"q{number}") for number in range(3))
    record = b"x" * (Limit.inline_writes * 2 // 5)
    result = ResultEntry("a", "", record, questions=asks)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert asked(d, "q0", "q1", "q2") == dict.fromkeys(("q0", "q1", "q2"), ("a", record))


def where_there_is_no_thread_nobody_asks(d: Driver) -> None:
    assert d.ledger.call(commands.asked(d.thread, ("q",))) is None


GUARDS = (
    Guard(
        who_asks_is_found_by_the_id,
        "finished.lua",
        "    if ns == '' then note_asking(tid, questions) end\n",
        "",
    ),
    Guard(
        who_asks_is_found_by_the_id,
        "asked.lua",
        "  if at_rest then return known[field] end\n",
        "",
    ),
    Guard(
        a_question_that_was_answered_is_not_found,
        "again.lua",
        "    if ns == '' then forget_asking(each.questions) end\n",
        "",
    ),
    Guard(a_graph_that_stopped_asks_nothing, "asking.lua", "if iid ~= IID.stopped", "if true"),
    Guard(
        who_asks_is_named_once_while_it_waits,
        "pack.lua",
        "      list[i + 1] = ns .. '|' .. (names[tid] or tid)\n",
        "",
    ),
    Guard(
        no_more_comes_than_a_reply_holds,
        "asked.lua",
        "text and size <= LIMIT.inline_writes",
        "text",
    ),
    Guard(what_a_task_asks_comes_once, "asked.lua", "    told[tid] = true\n", ""),
    Guard(
        where_there_is_no_thread_nobody_asks, "asked.lua", "if not h then return false end\n", ""
    ),
)
