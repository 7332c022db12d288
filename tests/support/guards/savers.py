"""Guards of what a saver stores of a thread at rest: checkpoints, logs, removals."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import channel_field, checkpoint_field
from checkpoint_redis.layout import SharedRow, SpanRow, ThreadStatus
from checkpoint_redis.readings import Header, Loaded
from checkpoint_redis.records import CheckpointEntry, NewHead, SuperstepEntry, TaskEntry
from checkpoint_redis.replies import Changed
from tests.support.guards import Guard
from tests.support.thread_driver import Driver, nonce, superstep


def entry(cp: str) -> CheckpointEntry:
    return CheckpointEntry(cp, cp.encode(), 3, (f"c@{cp}",), {f"c@{cp}": b"value"})


def put(  # noqa: PLR0913 - a default for each
    d: Driver,
    cp: str,
    ns: str = "",
    *,
    ep: str = "",
    expect: str | None = None,
    needs: tuple[str, ...] = (),
) -> Changed:
    command = commands.put(
        d.thread, FrameName(ns), entry(cp), ep=ep or nonce(), expect=expect, needs=needs,
        graph="graph", fp="1", queue="q",
    )  # fmt: skip
    return d.ledger.call(command)


def log(d: Driver, cp: str, *, ep: str = "", asks: bool = False, new_ep: str = "") -> Changed:
    return d.ledger.call(
        commands.put_writes(d.thread, "", cp, (b"log",), asks=asks, ep=ep, new_ep=new_ep or nonce())
    )


def forget(d: Driver, cp: str, ep: str, *heads: NewHead, new_ep: str = "") -> Changed:
    fields = (checkpoint_field("", cp), channel_field("", f"c@{cp}"))
    return d.ledger.call(commands.forget(d.thread, fields, heads, ep=ep, new_ep=new_ep or nonce()))


def header(d: Driver, ns: str = "") -> Header:
    found = d.ledger.header(d.thread, ns)
    assert found is not None
    return found


def loaded(d: Driver, cp: str = "") -> Loaded:
    found = d.ledger.load(d.thread, "", cp)
    assert found is not None
    return found


def paused(d: Driver) -> str:
    """Bring the thread to a pause at cp-0: a asks, and a caller wrote."""
    step = superstep("cp-0", "a")
    d.start(SuperstepEntry(step.ep, step.checkpoints, step.tasks, "go", b"", (b"written",)))
    d.claim(step.ep, "a")
    d.ask(step.ep, "a", "q1", deadline=10**15)
    return step.ep


def a_checkpoint_creates_its_thread(d: Driver) -> None:
    assert put(d, "cp-1", ep="e").status == "ok"
    h = header(d)
    assert (h.thread_id, h.graph, h.fp, h.queue) == ("thread", "graph", "1", "q")
    assert (h.st, h.run, h.cp, h.step, h.ep) == (ThreadStatus.idle, "", "cp-1", 3, "e")
    assert 0 < h.created <= h.upd
    assert d.client.hget(d.thread.header, "v") == b"1"
    assert loaded(d).channels == {"c@cp-1": b"value"}


def a_checkpoint_of_another_frame_creates_a_thread_that_is_idle(d: Driver) -> None:
    put(d, "cp-1", "inner")
    assert d.client.hget(d.thread.header, "st") == b"idle"
    assert header(d, FrameName("inner").hash).cp == "cp-1"


def a_fresh_checkpoint_needs_a_new_thread(d: Driver) -> None:
    assert put(d, "cp-1", expect="", ep="e").status == "ok"
    assert put(d, "cp-1", expect="", ep="e").status == "ok"
    reply = put(d, "cp-2", expect="")
    assert (reply.status, reply.head, header(d).cp) == ("conflict", "cp-1", "cp-1")


def a_checkpoint_may_name_the_epoch_that_it_follows(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    assert put(d, "cp-2", expect="another").status == "conflict"
    assert put(d, "cp-2", expect="e", ep="e2").status == "ok"
    d.ledger.delete(d.thread)
    assert put(d, "cp-3", expect="e2").status == "conflict"
    assert d.stored() == set()


def a_checkpoint_that_is_put_again_is_known(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    d.start(superstep("cp-2", "a"), expect="cp-1")
    assert put(d, "cp-1", ep=header(d).ep).status == "ok"
    assert d.status == "busy"


def a_checkpoint_whose_values_are_gone_is_not_put(d: Driver) -> None:
    assert put(d, "cp-2", needs=("c@cp-1",)).status == "unstored"
    assert d.stored() == set()
    put(d, "cp-1")
    assert put(d, "cp-2", needs=("c@cp-1",)).status == "ok"


def the_values_of_a_waiting_thread_are_known(d: Driver) -> None:
    d.start(superstep("cp-1", outcome="stop"))
    assert "z" in d.stored()
    assert put(d, "cp-2", needs=("c@cp-1",)).status == "ok"


def a_log_keeps_out_who_looked_before_it(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    put(d, "cp-2", ep="e2")
    assert log(d, "cp-2", new_ep="e3").status == "ok"
    assert forget(d, "cp-1", "e2").status == "conflict"
    assert (header(d).ep, d.ledger.delete(d.thread, ep="e2").status) == ("e3", "conflict")


def a_log_may_name_the_epoch_that_it_follows(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    refused = log(d, "cp-1", ep="another")
    assert (refused.status, refused.head, loaded(d).log) == ("conflict", "e", ())
    assert log(d, "cp-1", ep="e").status == "ok"


def a_log_that_is_repeated_is_known(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    assert log(d, "cp-1", new_ep="e2").status == "ok"
    assert log(d, "cp-1", new_ep="e2").status == "ok"
    assert loaded(d).log == (b"log",)


def sharing(d: Driver, cp: str, *spans: SpanRow, number: int = 0) -> list[bytes]:
    """Put a checkpoint that shares with the log of cp-0; return the records of that."""
    command = commands.put(
        d.thread, FrameName(""), entry(cp),
        ep=nonce(), after="cp-0", shared=(SharedRow(number, spans),),
        graph="graph", fp="1", queue="q",
    )  # fmt: skip
    assert d.ledger.call(command).status == "ok"
    fields = [f"p||cp-0|{each}" for each in (0, 1)]
    return list(d.client.hmget(d.thread.checkpoints, fields))


def a_log_shares_what_a_checkpoint_has_too(d: Driver) -> None:
    put(d, "cp-0")
    noted = [log(d, "cp-0").number for _ in range(2)]
    assert noted == [0, 1]
    span = SpanRow("c@cp-1", 3, 2, 2)
    d.client.hset(d.thread.checkpoints, "p||cp-0|1", b"..al..al.")
    assert sharing(d, "cp-1", span, SpanRow("c@cp-1", 7, 2, 2), number=1) == [
        b"log",
        b"9:2:..6:c@cp-11:21:22:..6:c@cp-11:21:21:.",
    ]


def a_record_that_has_something_else_is_not_shared(d: Driver) -> None:
    put(d, "cp-0")
    log(d, "cp-0")
    assert sharing(d, "cp-1", SpanRow("c@cp-1", 1, 1, 3)) == [b"log", None]
    assert sharing(d, "cp-2", SpanRow("c@cp-2", 1, 1, 3), number=1) == [b"log", None]


def a_removal_keeps_out_who_looked_before_it(d: Driver) -> None:
    for n in range(4):
        put(d, f"cp-{n}", ep=f"e{n}")
    assert forget(d, "cp-0", "e3", new_ep="e4").status == "ok"
    assert forget(d, "cp-3", "e3", NewHead("", "cp-0")).status == "conflict"
    assert (header(d).ep, header(d).cp) == ("e4", "cp-3")


def a_removal_that_is_repeated_is_known(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    put(d, "cp-2", ep="e2")
    assert forget(d, "cp-1", "e2", new_ep="e3").status == "ok"
    assert forget(d, "cp-1", "e2", new_ep="e3").status == "ok"


def an_update_of_what_was_read_before_is_refused(d: Driver) -> None:
    put(d, "cp-1", ep="e")
    new = (entry("cp-2"),)
    for seen, status in (("another", "conflict"), ("e", "ok")):
        reply = d.ledger.update(d.thread, new, expect="cp-1", seen=seen, ep=nonce(), waiting=False)
        assert reply.status == status


def an_older_checkpoint_is_no_head_and_drops_nothing(d: Driver) -> None:
    d.start(superstep("cp-5", outcome="stop"))
    assert put(d, "cp-1", ep="new").status == "ok"
    assert (header(d).cp, header(d).ep, d.status) == ("cp-5", "new", "interrupted")
    assert (loaded(d).checkpoint, loaded(d, "cp-1").checkpoint) == (b"cp-5", b"cp-1")


def a_new_head_takes_the_place_of_a_pause(d: Driver) -> None:
    paused(d)
    put(d, "cp-1")
    assert (d.status, d.states(), d.due()) == ("idle", {}, set())
    assert loaded(d).checkpoint == b"cp-1"
    assert d.caller_writes("cp-0").blobs == (b"written",)
    assert "z" not in d.stored()


def a_log_takes_in_what_workers_and_callers_left(d: Driver) -> None:
    ep = paused(d)
    refused = log(d, "cp-0")
    assert (refused.status, refused.head) == ("conflict", ep)
    assert log(d, "cp-0", ep=ep).status == "ok"
    found = loaded(d)
    assert (found.log, found.tasks, found.caller_writes.blobs) == ((b"log",), (), ())
    assert "z" not in d.stored()
    assert log(d, "cp-0").status == "ok"
    assert loaded(d).log == (b"log", b"log")


def a_log_of_another_checkpoint_leaves_the_superstep(d: Driver) -> None:
    paused(d)
    assert log(d, "cp-older").status == "ok"
    assert d.states() == {"a": "I"}


def a_question_in_a_log_makes_the_thread_wait(d: Driver) -> None:
    put(d, "cp-1")
    log(d, "cp-1")
    assert d.status == "idle"
    log(d, "cp-1", asks=True)
    assert d.status == "interrupted"


def a_run_that_starts_at_a_log_drops_it(d: Driver) -> None:
    put(d, "cp-1")
    log(d, "cp-1")
    log(d, "cp-1")
    step = SuperstepEntry(nonce(), (), (TaskEntry("a", b"a"),), "go")
    d.start(step, expect="cp-1")
    fields = d.client.hkeys(d.thread.checkpoints)
    assert [field for field in fields if field.startswith(b"p|")] == []


def a_removal_of_the_head_leaves_the_one_before(d: Driver) -> None:
    put(d, "cp-1")
    put(d, "cp-2")
    step = SuperstepEntry(nonce(), (), (TaskEntry("a", b"a"),), "go", b"", (b"written",))
    d.start(step, expect="cp-2")
    d.claim(step.ep, "a")
    d.ask(step.ep, "a", "q1", deadline=10**15)
    kept = NewHead("", "cp-1", 3, ("c@cp-1",))
    assert forget(d, "cp-2", step.ep, kept).status == "ok"
    assert (header(d).cp, header(d).step, d.status, d.due()) == ("cp-1", 3, "idle", set())
    assert (loaded(d).checkpoint, loaded(d).channels) == (b"cp-1", {"c@cp-1": b"value"})
    assert (d.states(), loaded(d, "cp-2").checkpoint) == ({}, None)
    assert (d.caller_writes("cp-2").blobs, d.stored()) == ((), {"h", "c", "e"})


def a_removal_of_the_last_checkpoint_leaves_no_head(d: Driver) -> None:
    put(d, "cp-1")
    assert forget(d, "cp-1", header(d).ep, NewHead("")).status == "ok"
    fields = {*d.client.hkeys(d.thread.header), *d.client.hkeys(d.thread.checkpoints)}
    assert not {b"/cp", b"/step", b"f|"} & fields


def a_removal_from_no_thread_is_missing(d: Driver) -> None:
    assert forget(d, "cp-1", "").status == "missing"
    assert log(d, "cp-1").status == "missing"


def an_update_takes_the_place_of_a_pause(d: Driver) -> None:
    paused(d)
    reply = d.ledger.update(d.thread, (entry("cp-1"),), expect="cp-0", ep="new", waiting=True)
    assert (reply.status, d.status, header(d).ep) == ("ok", "interrupted", "new")
    assert (header(d).cp, d.states(), d.due()) == ("cp-1", {}, set())
    assert d.caller_writes("cp-0").blobs == (b"written",)
    assert (d.stored(), loaded(d).channels) == ({"h", "c", "e"}, {"c@cp-1": b"value"})


GUARDS = (
    Guard(
        a_log_shares_what_a_checkpoint_has_too,
        "put.lua",
        "share_log(A.ns, A.after, A.shared, A.checkpoint[CHECKPOINT.channels])\n",
        "",
    ),
    Guard(
        a_record_that_has_something_else_is_not_shared,
        "log.lua",
        "    if string.sub(record, first, first + length - 1) ~= part then return end\n",
        "",
    ),
    Guard(an_update_takes_the_place_of_a_pause, "update.lua", "thaw()\n", ""),
    Guard(an_update_takes_the_place_of_a_pause, "update.lua", "drop_step('')\n", ""),
    Guard(
        a_checkpoint_creates_its_thread,
        "create.lua",
        "HEADER.id, blob(A.id), ",
        "",
    ),
    Guard(
        a_checkpoint_of_another_frame_creates_a_thread_that_is_idle,
        "create.lua",
        "  stand(STATUS.idle)\n",
        "",
    ),
    Guard(
        a_fresh_checkpoint_needs_a_new_thread,
        "put.lua",
        "if A.expect and (ep or '') ~= A.expect then return {REPLY.conflict, head} end\n",
        "",
    ),
    Guard(
        a_checkpoint_may_name_the_epoch_that_it_follows,
        "put.lua",
        "if A.expect and (ep or '')",
        "if A.expect and st and (ep or '')",
    ),
    Guard(
        a_checkpoint_that_is_put_again_is_known,
        "put.lua",
        "if ep == A.ep then return {REPLY.ok} end\n",
        "",
    ),
    Guard(
        a_checkpoint_whose_values_are_gone_is_not_put,
        "put.lua",
        "  if not has(ref) then return {REPLY.unstored} end\n",
        "",
    ),
    Guard(
        the_values_of_a_waiting_thread_are_known,
        "frozen.lua",
        "call('HEXISTS', C, field) == 1 or cget(field) ~= false",
        "call('HEXISTS', C, field) == 1",
    ),
    Guard(
        a_log_keeps_out_who_looked_before_it,
        "put_writes.lua",
        "call('HSET', H, FRAME.epoch, A.new_ep)\n",
        "",
    ),
    Guard(
        a_log_may_name_the_epoch_that_it_follows,
        "put_writes.lua",
        "if A.ep ~= '' and ep ~= A.ep then return {REPLY.conflict, ep} end\n",
        "",
    ),
    Guard(
        a_log_takes_in_what_workers_and_callers_left,
        "put_writes.lua",
        "if A.ep == '' and (opened or cget(kept) or",
        "if A.ep == '' and (",
    ),
    Guard(
        a_log_that_is_repeated_is_known,
        "put_writes.lua",
        "if ep == A.new_ep then return {REPLY.ok} end\n",
        "",
    ),
    Guard(
        a_removal_keeps_out_who_looked_before_it,
        "forget.lua",
        "call('HSET', H, FRAME.epoch, A.new_ep)\n",
        "",
    ),
    Guard(
        a_removal_that_is_repeated_is_known,
        "forget.lua",
        "if ep == A.new_ep then return {REPLY.ok} end\n",
        "",
    ),
    Guard(
        an_update_of_what_was_read_before_is_refused,
        "update.lua",
        "if A.seen ~= '' and ep ~= A.seen then",
        "if false then",
    ),
    Guard(
        an_older_checkpoint_is_no_head_and_drops_nothing,
        "put.lua",
        "if cp >= head then",
        "if true then",
    ),
    Guard(
        an_older_checkpoint_is_no_head_and_drops_nothing,
        "put.lua",
        "call('HSET', H, FRAME.epoch, A.ep)\n",
        "",
    ),
    Guard(a_new_head_takes_the_place_of_a_pause, "put.lua", "thaw()\n", ""),
    Guard(a_new_head_takes_the_place_of_a_pause, "put.lua", "    drop_step('')\n", ""),
    Guard(
        a_new_head_takes_the_place_of_a_pause,
        "put.lua",
        "    put_to_rest(STATUS.idle)\n",
        "",
    ),
    Guard(a_log_takes_in_what_workers_and_callers_left, "put_writes.lua", "thaw()\n", ""),
    Guard(
        a_log_takes_in_what_workers_and_callers_left,
        "put_writes.lua",
        "if opened then close_step(A.ns, packed(A.ns)) end\n",
        "",
    ),
    Guard(
        a_log_takes_in_what_workers_and_callers_left,
        "put_writes.lua",
        "call('HDEL', C, kept)\n",
        "",
    ),
    Guard(
        a_log_of_another_checkpoint_leaves_the_superstep,
        "put_writes.lua",
        "local opened = at_head and is_open",
        "local opened = is_open",
    ),
    Guard(a_question_in_a_log_makes_the_thread_wait, "put_writes.lua", "and A.asks ", ""),
    Guard(
        a_run_that_starts_at_a_log_drops_it,
        "log.lua",
        "  fields[#fields + 1] = name\n  many('HDEL', C, fields)\n",
        "  fields[#fields + 1] = name\n",
    ),
    Guard(
        a_run_that_starts_at_a_log_drops_it,
        "log.lua",
        "  fields[#fields + 1] = name\n",
        "",
    ),
    Guard(
        a_run_that_starts_at_a_log_drops_it,
        "log.lua",
        "  for i = 0, count - 1 do fields[i + 1] = name .. '|' .. i end\n",
        "",
    ),
    Guard(a_removal_of_the_head_leaves_the_one_before, "forget.lua", "thaw()\n", ""),
    Guard(a_removal_of_the_head_leaves_the_one_before, "forget.lua", "    drop_step('')\n", ""),
    Guard(
        a_removal_of_the_head_leaves_the_one_before,
        "forget.lua",
        "    call('HDEL', C, caller_writes_field(ns))\n",
        "",
    ),
    Guard(
        a_removal_of_the_head_leaves_the_one_before,
        "forget.lua",
        "    put_to_rest(STATUS.idle)\n",
        "",
    ),
    Guard(
        a_removal_of_the_last_checkpoint_leaves_no_head,
        "forget.lua",
        "    call('HDEL', C, FIELD.head_refs .. ns)\n",
        "",
    ),
    Guard(
        a_removal_of_the_last_checkpoint_leaves_no_head,
        "forget.lua",
        "if ns == '' then call('HDEL', H, FRAME.checkpoint, FRAME.step) else",
        "if ns ~= '' then",
    ),
    Guard(
        a_removal_from_no_thread_is_missing,
        "forget.lua",
        "if not st then return {REPLY.missing} end\n",
        "",
    ),
)
