"""Guards of what is told of frames inside tasks: whose it is, and what they show."""

from __future__ import annotations

from dataclasses import replace

from checkpoint_redis.records import QuestionEntry, ResultEntry
from tests.support.frame_driver import Frame
from tests.support.guards import Guard
from tests.support.guards.framed import NS, closed, opened
from tests.support.guards.results import told
from tests.support.thread_driver import LEASE, Driver, superstep


def chunks_of_a_graph_inside_are_told_apart(d: Driver) -> None:
    d.claim(d.started("a"), "a")
    d.ledger.emit(
        d.thread, "run", "", "a", tok="t", first=1, blobs=(b"own", b"in"), frames=("", NS)
    )
    assert [(each.frame, each.blob) for each in told(d, "custom")] == [("", b"own")]
    assert [(each.frame, each.blob) for each in told(d, "inner")] == [(NS, b"in")]


def a_frames_superstep_shows_what_it_brings(d: Driver) -> None:
    ep = closed(d)
    two = superstep("in-1", "c").checkpoints + superstep("in-2").checkpoints
    step = replace(superstep("in-2", "c"), checkpoints=two, event=b"shown")
    d.ledger.commit(d.thread, NS, ep, step, advtok="adv")
    assert [each.blob for each in told(d, "step") if each.frame][-2:] == [b"", b"shown"]


def an_event_tells_what_follows_a_checkpoint(d: Driver) -> None:
    ep = d.started("a")
    d.claim(ep, "a")
    d.complete(ep, "a")
    d.commit(ep, superstep("cp-1", outcome="stop"))
    assert [each.payload[-1] for each in told(d, "step")] == ["go", "stop"]


def a_question_inside_shows_what_its_frame_shows_of_it(d: Driver) -> None:
    frame = Frame(d, "node:task", tid="task", ep=opened(d, "a"))
    frame.claim("a")
    asked = ResultEntry("a", "", b"question", event=b"shown", questions=(QuestionEntry("q"),))
    d.ledger.complete(d.thread, NS, frame.ep, (asked,), tok="t", tok2="adv", lease_ms=LEASE)
    assert [each.blob for each in told(d, "ask")] == [b"shown"]


def a_void_attempt_inside_tells_its_frame_and_its_task(d: Driver) -> None:
    frame = Frame(d, "node:task", tid="task", ep=opened(d, "a"))
    frame.claim("a")
    frame.release("a")
    ((payload, blob),) = ((each.payload, each.blob) for each in told(d, "retry"))
    assert (payload[1:], blob) == (("a", 1, "node:task"), b"a")


GUARDS = (
    Guard(
        chunks_of_a_graph_inside_are_told_apart,
        "emit.lua",
        "  if frame ~= '' then kind, ns = EVENT.inner, frame end\n",
        "",
    ),
    Guard(
        a_frames_superstep_shows_what_it_brings,
        "open.lua",
        "i == #s.checkpoints and blob(s.event)",
        "blob(s.event)",
    ),
    Guard(
        an_event_tells_what_follows_a_checkpoint,
        "open.lua",
        "follows = s.outcome",
        "follows = FOLLOWS.go",
    ),
    Guard(
        a_question_inside_shows_what_its_frame_shows_of_it,
        "finished.lua",
        "ns == '' and result[RESULT.blob] or result[RESULT.event]",
        "result[RESULT.blob]",
    ),
    Guard(
        a_void_attempt_inside_tells_its_frame_and_its_task,
        "superseded.lua",
        "ns ~= '' and call('HGET', frame_key(ns), FRAME.called) or ''",
        "''",
    ),
    Guard(
        a_void_attempt_inside_tells_its_frame_and_its_task,
        "superseded.lua",
        "    ns ~= '' and call('HGET', P .. KEY.tasks .. ns, TASK_FIELD.blob .. tid))\n",
        "    nil)\n",
    ),
)
