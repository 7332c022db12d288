"""Guards of formats: a thread tells the highest number that was written into it, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.records import (
    AnswerEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
)
from distgraph.checkpoint import formats
from distgraph.checkpoint.formats import Kind
from tests.support.guards import Guard
from tests.support.newer import RELEASE, newer
from tests.support.thread_driver import LEASE, Driver, nonce, superstep
from tests.support.upgraded import NEWER, noted


def a_thread_tells_what_wrote_it(d: Driver) -> None:
    d.started("a")
    assert noted(d) == (formats.FORMAT, formats.release())


def a_change_in_an_older_form_leaves_what_is_noted(d: Driver) -> None:
    with newer(Kind.config):
        ep = d.started("a")
        assert noted(d) == (NEWER, RELEASE)
        d.claim(ep, "a")
        assert noted(d) == (NEWER, RELEASE)


def a_thread_stays_with_older_versions_while_they_can_read_it(d: Driver) -> None:
    with newer(Kind.answer):
        ep = d.started("a")
        d.claim(ep, "a")
        d.complete(ep, "a")
    assert noted(d)[0] == formats.FORMAT


# Changes that write something, after what has to be there: they are told the epoch.


def asked(d: Driver) -> str:
    ep = d.started("a")
    d.claim(ep, "a")
    d.ask(ep, "a", "q1")
    return ep


def running(d: Driver) -> str:
    ep = d.started("a", "b")
    d.claim(ep, "a", "b")
    return ep


def queued(d: Driver) -> str:
    return d.started("a")


def closed(d: Driver) -> str:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    return ep


def failed(d: Driver) -> str:
    ep = running(d)
    d.fail(ep, "a")
    return ep


def at_rest(d: Driver) -> str:
    return d.start(superstep("cp-0", outcome="end")).ep


def claims(d: Driver, ep: str) -> None:
    d.claim(ep, "a")


def cancels(d: Driver, _: str) -> None:
    d.ledger.cancel(d.thread, "", ep=nonce())


def commits(d: Driver, ep: str) -> None:
    d.commit(ep, superstep("cp-1", "b"))


def starts(d: Driver, _: str) -> None:
    d.start(superstep("cp-1", "a"), "run-2", "cp-0")


def ends(d: Driver, ep: str) -> None:
    d.commit(ep, superstep("cp-1", outcome="end"))


def starts_with_writes(d: Driver, _: str) -> None:
    tasks = superstep("", "a").tasks
    d.start(SuperstepEntry(nonce(), (), tasks, "go", caller_writes=(b"w",)), "run-2", "cp-0")


def answers_with_writes(d: Driver, _: str) -> None:
    pair = AnswerEntry("", "a", "q1", b"yes")
    d.ledger.answer(d.thread, "run-2", "resume", (pair,), rnd=nonce(), caller_writes=(b"w",))


def asks_again(d: Driver, _: str) -> None:
    d.ledger.answer(d.thread, "run-2", "reask", rnd=nonce(), cfg=b"new")


def answers(d: Driver, _: str) -> None:
    d.answer("a", "q1")


def completes(d: Driver, ep: str) -> None:
    d.complete(ep, "a")


def asks(d: Driver, ep: str) -> None:
    result = ResultEntry("a", "", b"w", questions=(QuestionEntry("q"),))
    d.ledger.complete(d.thread, "", ep, (result,), tok="t", tok2="adv", lease_ms=LEASE)


def fails_as_the_second(d: Driver, ep: str) -> None:
    d.fail(ep, "b")


def gives_up(d: Driver, ep: str) -> None:
    d.ledger.fail_advance(d.thread, "", ep, advtok="adv", error=b"e")


def puts(d: Driver, _: str) -> None:
    (new,) = superstep("cp-1").checkpoints
    d.ledger.call(commands.put(d.thread, FrameName(), new, ep=nonce()))


def updates_for_a_task(d: Driver, _: str) -> None:
    new, done = superstep("cp-1").checkpoints, (("a", b"instead"),)
    d.ledger.call(
        commands.update(d.thread, new, expect="cp-0", ep=nonce(), waiting=False, done=done)
    )


def puts_writes(d: Driver, _: str) -> None:
    d.ledger.call(commands.put_writes(d.thread, "", "cp-0", (b"log",), asks=False, new_ep=nonce()))


class Noted(NamedTuple):
    """What is noted when `change` writes a newer form of `kind` after `before`: by `script`."""

    kind: Kind
    before: Callable[[Driver], str]
    change: Callable[[Driver, str], None]
    script: str
    guard: str


def check(noting: Noted) -> Callable[[Driver], None]:
    """Return the check of it, with a name that says which it is."""

    def keeps(d: Driver) -> None:
        ep = noting.before(d)
        assert noted(d)[0] == formats.FORMAT
        with newer(noting.kind):
            noting.change(d, ep)
            assert noted(d) == (NEWER, RELEASE)

    keeps.__name__ = f"it_is_noted_what_{noting.change.__name__}_as_{noting.kind.name}"
    return keeps


WRITTEN = "if #{}.caller_writes > 0 then note_form(FORMAT.result) end\n"
NOTED = (
    Noted(Kind.row, queued, claims, "task", "  note_form(FORMAT.row)\n"),
    Noted(Kind.event, running, cancels, "event", "  note_form(FORMAT.event)\n"),
    Noted(Kind.checkpoint, closed, commits, "checkpoints", "  note_form(FORMAT.checkpoint)\n"),
    Noted(Kind.task, closed, commits, "new_tasks", "FORMAT.task"),
    Noted(Kind.row, closed, commits, "new_tasks", ", FORMAT.row"),
    Noted(Kind.config, at_rest, starts, "start", "note_form(FORMAT.config)\n"),
    Noted(Kind.config, asked, asks_again, "answer", "  note_form(FORMAT.config)\n"),
    Noted(Kind.run, closed, ends, "runs", "  note_form(FORMAT.run)\n"),
    Noted(Kind.answer, asked, answers, "again", "    note_form(FORMAT.answer)\n"),
    Noted(Kind.result, running, completes, "finished", "  note_form(FORMAT.result)\n"),
    Noted(Kind.question, running, asks, "finished", "    note_form(FORMAT.question)\n"),
    Noted(Kind.result, failed, fails_as_the_second, "failing", "  note_form(FORMAT.result)\n"),
    Noted(Kind.result, closed, gives_up, "ending", "      note_form(FORMAT.result)\n"),
    Noted(Kind.result, at_rest, starts_with_writes, "caller_writes", WRITTEN.format("s")),
    Noted(Kind.result, asked, answers_with_writes, "answer", WRITTEN.format("A")),
    Noted(Kind.result, at_rest, updates_for_a_task, "left", "    note_form(FORMAT.result)\n"),
    Noted(Kind.saved, at_rest, puts, "put", "note_form(FORMAT.saved)\n"),
    Noted(Kind.log, at_rest, puts_writes, "put_writes", "note_form(FORMAT.newest)\n"),
)

GUARDS = (
    *(
        Guard(
            check(each),
            f"{each.script}.lua",
            each.guard,
            "0" if each.guard == "FORMAT.task" else "",
        )
        for each in NOTED
    ),
    Guard(
        a_thread_tells_what_wrote_it,
        "format.lua",
        "  call('HSET', H, HEADER.form, number, HEADER.release, FORMAT.release)\n",
        "",
    ),
    Guard(a_change_in_an_older_form_leaves_what_is_noted, "format.lua", "  stored = number\n", ""),
    Guard(
        a_change_in_an_older_form_leaves_what_is_noted,
        "format.lua",
        "  if number <= stored then return end\n",
        "",
    ),
    Guard(
        a_thread_stays_with_older_versions_while_they_can_read_it,
        "format.lua",
        "HEADER.form, number, HEADER",
        "HEADER.form, FORMAT.newest, HEADER",
    ),
)
