"""How a run gets into the store: its superstep is stored whole, or nothing is."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from checkpoint_redis import about, commands, packets
from checkpoint_redis.layout import RunStatus
from checkpoint_redis.records import OlderEntry, SuperstepEntry
from checkpoint_redis.replies import Submitted
from distgraph.core.model import ThreadState

from ..shared.hints import outgoing
from ..shared.runconfig import encode_config, encode_metadata, of_call
from ..shared.supersteps import chunks, entries, staged
from .begun import Begun, just_before
from .effects import Effect, HintsOut, Publish, Reach
from .submission import Submission


def launch(
    call: Submission, step: SuperstepEntry, state: ThreadState, older: OlderEntry | None = None
) -> Generator[Effect, Any, Begun]:
    """Start a run of ``step``, which ``state`` goes on with; ThreadBusy, ThreadConflict.

    ``older``: the checkpoint whose superstep it opens again.
    """
    config, metadata = _told(call)
    yield Reach()
    for chunk in chunks(step):
        yield commands.stage(call.thread, step.ep, chunk)
    for checkpoint in step.checkpoints:
        yield from packets.stage(call.thread, checkpoint.packets)
    started: Submitted = yield commands.start(
        call.thread,
        call.run,
        staged(step),
        expect=call.head,
        seen=call.epoch,
        graph=call.graph.name,
        fp=call.graph.fingerprint,
        queue=call.served.queue,
        cfg=config,
        modes=call.modes,
        released=state.released,
        stop=call.stop,
        by=call.job.start.by,
        metadata=metadata,
        about=about.encode(call.about),
        marks=about.marks(call.about, call.metadata_keys),
        older=older,
    )
    if started.status == "busy":
        raise call.busy(started.run)
    if started.status in ("conflict", "unstaged"):
        raise call.conflict(started.head)
    if started.status == "go":
        done = {tid for tid, _ in older.done} if older else ()
        hints = [each for each in entries(step, "", call.served.queue) if each.tid not in done]
        if (yield Publish(tuple(outgoing(call.thread.x, hints)))):
            yield HintsOut(call.thread, step.ep)
    under_way = started.status == "go" or started.outcome == RunStatus.pending
    since = just_before(started.now) if under_way else None
    return Begun(call.run, started.event_id, state, since=since)


def _told(call: Submission) -> tuple[bytes, bytes]:
    """Return the records of what the run was called with, and of its metadata."""
    told, serializer = of_call(call.job.start, call.job.invocation), call.wire.serializer
    return encode_config(told, serializer), encode_metadata(told, serializer)
