"""Guards of deadlines: which time a question has, and who answers it once that is over."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.layout import Limit, TaskField, ThreadKey
from checkpoint_redis.records import AnswerEntry, QuestionEntry, ResultEntry
from checkpoint_redis.replies import Answered
from distgraph.checkpoint.formats import Kind
from tests.support.guards import Guard
from tests.support.newer import RELEASE, newer
from tests.support.thread_driver import LEASE, Driver, nonce
from tests.support.upgraded import NEWER, is_refused, noted, upgrade

HOUR = 3_600_000


def asking(d: Driver, within: int = 0, iid: str = "q1") -> str:
    """Bring the thread to a pause: a asks at the place p."""
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", iid, within=within, place="p")
    return ep


def late(d: Driver, tid: str = "a") -> tuple[tuple[str, bytes], ...]:
    return d.ledger.call(commands.late(d.thread, tid))


def answered_by_a_sweep(d: Driver, iid: str = "q1", run: str = "swept") -> Answered:
    pair = AnswerEntry("", "a", iid, b"late")
    given = commands.answer(d.thread, run, "resume", (pair,), rnd=nonce(), late=True)
    return d.ledger.call(given)


def planned(d: Driver, tid: str = "a") -> int:
    return int(d.client.zscore(d.due_key, f"{d.thread.x}||{tid}|i") or 0)


def now(d: Driver) -> int:
    seconds, micros = d.client.time()
    return int(seconds) * 1000 + int(micros) // 1000


# --- which time it has --------------------------------------------------------------------------


def a_deadline_counts_by_the_clock_of_redis(d: Driver) -> None:
    before = now(d)
    asking(d, HOUR)
    assert before + HOUR <= planned(d) <= now(d) + HOUR


def asked_again_at_its_place_a_question_keeps_its_time(d: Driver) -> None:
    ep = asking(d, HOUR)
    first = planned(d)
    d.go_on("reask")
    task = d.claim(ep, "a").tasks[0]
    d.ask(ep, "a", "q2", within=2 * HOUR, place="p", rnd=task.rnd)
    assert planned(d) == first


def it_keeps_its_time_though_another_one_was_answered(d: Driver) -> None:
    ep = asking(d, HOUR)
    first = planned(d)
    d.answer("a", "q1")
    task = d.claim(ep, "a").tasks[0]
    d.ask(ep, "a", "q2", within=2 * HOUR, place="p2", rnd=task.rnd)
    assert planned(d) > first
    d.go_on("reask", "run-3")
    task = d.claim(ep, "a").tasks[0]
    d.ask(ep, "a", "q3", within=3 * HOUR, place="p", rnd=task.rnd)
    assert planned(d) == first


def its_question_tells_until_when_it_waits(d: Driver) -> None:
    asking(d, HOUR)
    loaded = d.load()
    assert loaded is not None
    ((_, until),) = loaded.questions[0].questions
    assert until == planned(d) > now(d)


# --- what is answered once it is over -----------------------------------------------------------


def what_stands_for_an_answer_is_told_once_it_is_over(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    asks = (
        QuestionEntry("q1", within=0, place="p1", late=b"late 1"),
        QuestionEntry("q2", within=HOUR, place="p2", late=b"late 2"),
    )
    result = ResultEntry("a", "", b"q", questions=asks)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert late(d) == (("q1", b"late 1"),)


def as_much_is_told_as_one_answer_may_give(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    asks = tuple(
        QuestionEntry(f"q{n}", within=0, place=f"p{n}", late=b"late") for n in range(Limit.late + 1)
    )
    result = ResultEntry("a", "", b"q", questions=asks)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert len(late(d)) == Limit.late


def large_ones_are_told_one_after_the_other(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    large = b"x" * (Limit.inline_writes + 1)
    asks = tuple(QuestionEntry(f"q{n}", within=0, place=f"p{n}", late=large) for n in range(2))
    result = ResultEntry("a", "", b"q", questions=asks)
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)
    assert [iid for iid, _ in late(d)] == ["q0"]


def nothing_of_it_stays_with_an_answer(d: Driver) -> None:
    asking(d, HOUR)
    d.answer("a", "q1")
    assert f"{TaskField.late}q1".encode() not in d.client.hkeys(
        f"{d.thread.prefix}{ThreadKey.tasks}"
    )


def an_answer_that_is_late_is_refused(d: Driver) -> None:
    asking(d)
    reply = d.answer("a", "q1")
    assert (reply.status, reply.unknown) == ("no_interrupt", "q1")
    assert d.status == "interrupted"


def what_is_over_is_not_told_to_wait(d: Driver) -> None:
    asking(d)
    assert d.answer("a", "q1").pending == ()


def so_it_is_of_answers_that_are_staged(d: Driver) -> None:
    asking(d)
    pair = AnswerEntry("", "a", "q1", b"yes")
    staged = d.ledger.call(commands.stage_answers(d.thread, nonce(), 0, (pair,)))
    assert staged.status == "refused"


def a_sweep_answers_once_it_is_over(d: Driver) -> None:
    ep = asking(d)
    assert answered_by_a_sweep(d).status == "go"
    assert d.claim(ep, "a").tasks[0].answers == (b"late",)


def of_a_sweep_and_an_answer_one_counts(d: Driver) -> None:
    asking(d, HOUR)
    d.answer("a", "q1")
    assert answered_by_a_sweep(d).status == "no_interrupt"


# --- sweeps -------------------------------------------------------------------------------------


def it_stays_due_until_it_is_answered(d: Driver) -> None:
    asking(d)
    (found,) = d.sweep()
    assert (found.kind, found.tid) == ("i", "a")
    assert planned(d) > now(d)
    answered_by_a_sweep(d)
    assert planned(d) == 0


def a_look_that_comes_early_finds_nothing(d: Driver) -> None:
    asking(d, HOUR)
    at = planned(d)
    assert d.sweep(after_ms=2 * HOUR) == ()
    assert planned(d) == at


def what_asks_no_more_is_not_looked_at_again(d: Driver) -> None:
    d.started("a")
    d.client.zadd(d.due_key, {f"{d.thread.x}||a|i": 1})
    assert d.sweep() == ()
    assert d.due() == {"|d"}


def while_a_run_has_failed_what_is_over_waits(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1", within=0, place="p")
    d.fail(ep, "b")
    assert d.sweep() == ()
    assert now(d) < planned(d) <= now(d) + Limit.recheck_ms
    d.go_on("retry")
    assert "i" in [due.kind for due in d.sweep(after_ms=Limit.recheck_ms + 1)]


def it_waits_twice_as_long_each_time_that_it_finds_a_failed_run(d: Driver) -> None:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    d.ask(ep, "a", "q1", deadline=now(d) - 2 * Limit.recheck_ms, place="p")
    d.fail(ep, "b")
    d.sweep()
    assert planned(d) > now(d) + Limit.recheck_ms


# --- formats ------------------------------------------------------------------------------------


def who_is_too_old_reads_nothing_of_it(d: Driver) -> None:
    asking(d)
    upgrade(d)
    assert is_refused(d, lambda: late(d))


def it_is_noted_that_something_stands_for_an_answer(d: Driver) -> None:
    with newer(Kind.answer):
        asking(d, HOUR)
        assert noted(d) == (NEWER, RELEASE)


GUARDS = (
    Guard(
        a_deadline_counts_by_the_clock_of_redis,
        "finished.lua",
        "(within >= 0 and now() + within) or ",
        "",
    ),
    Guard(
        asked_again_at_its_place_a_question_keeps_its_time,
        "finished.lua",
        "kept[place] = kept[place] or ",
        "kept[place] = ",
    ),
    Guard(
        it_keeps_its_time_though_another_one_was_answered,
        "finished.lua",
        "decode(call('HGET', key, field) or '{}')",
        "{}",
    ),
    Guard(
        its_question_tells_until_when_it_waits,
        "finished.lua",
        "      question[QUESTION.deadline] = kept[place]\n",
        "",
    ),
    Guard(
        what_stands_for_an_answer_is_told_once_it_is_over,
        "late.lua",
        "is_late(question) and ",
        "",
    ),
    Guard(
        as_much_is_told_as_one_answer_may_give,
        "late.lua",
        "#out < 2 * LIMIT.late and ",
        "",
    ),
    Guard(
        large_ones_are_told_one_after_the_other,
        "late.lua",
        " and size <= LIMIT.inline_writes",
        "",
    ),
    Guard(
        nothing_of_it_stays_with_an_answer,
        "asking.lua",
        "    if question[QUESTION.place] ~= '' then call('HDEL', P .. KEY.tasks, "
        "TASK_FIELD.late .. iid) end\n",
        "",
    ),
    Guard(
        an_answer_that_is_late_is_refused,
        "asks.lua",
        "late or not is_late(question) or nil",
        "true",
    ),
    Guard(
        so_it_is_of_answers_that_are_staged,
        "asks.lua",
        "late or not is_late(question) or nil",
        "true",
    ),
    Guard(
        what_is_over_is_not_told_to_wait,
        "asks.lua",
        " and not is_late(question)\n",
        "\n",
    ),
    Guard(
        a_sweep_answers_once_it_is_over,
        "asks.lua",
        "late or not",
        "not",
    ),
    Guard(
        of_a_sweep_and_an_answer_one_counts,
        "asks.lua",
        "    if not asked[tid][iid] then return iid end\n",
        "",
    ),
    Guard(
        it_stays_due_until_it_is_answered,
        "sweep.lua",
        "  due(ns, tid, kind, now() + LIMIT.recheck_ms)\n  found(ns, kind, tid, {})\n",
        "  not_due(ns, tid, kind)\n  found(ns, kind, tid, {})\n",
    ),
    Guard(
        a_look_that_comes_early_finds_nothing,
        "sweep.lua",
        "  if over < 0 then return due(ns, tid, kind, at) end\n",
        "",
    ),
    Guard(
        what_asks_no_more_is_not_looked_at_again,
        "sweep.lua",
        "  if not at then return not_due(ns, tid, kind) end\n",
        "",
    ),
    Guard(
        while_a_run_has_failed_what_is_over_waits,
        "sweep.lua",
        "    local pause = math.min(math.max(over, LIMIT.recheck_ms), LIMIT.recheck_max_ms)\n"
        "    return due(ns, tid, kind, now() + pause)\n",
        "",
    ),
    Guard(
        it_waits_twice_as_long_each_time_that_it_finds_a_failed_run,
        "sweep.lua",
        "math.max(over, LIMIT.recheck_ms)",
        "LIMIT.recheck_ms",
    ),
    Guard(
        who_is_too_old_reads_nothing_of_it,
        "late.lua",
        "if refused then return refused end\n",
        "",
    ),
    Guard(
        it_is_noted_that_something_stands_for_an_answer,
        "finished.lua",
        "  note_form(FORMAT.answer)\n",
        "",
    ),
)
