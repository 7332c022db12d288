"""Commands of a saver: what a program in any process stores of a thread at rest."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from checkpoint_redis.commands.run import changed
from checkpoint_redis.commands.script import Arguments, Script, frame_row
from checkpoint_redis.frames import FrameName
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import NewHeadRow, SharedRow
from checkpoint_redis.records import CheckpointEntry, NewHead
from checkpoint_redis.replies import Changed


def put(
    thread: Thread,
    frame: FrameName,
    checkpoint: CheckpointEntry,
    *,
    ep: str,
    expect: str | None = None,
    needs: tuple[str, ...] = (),
    after: str = "",
    free: tuple[str, ...] = (),
    shared: tuple[SharedRow, ...] = (),
    graph: str = "",
    fp: str = "",
    queue: str = "",
) -> Script[Changed]:
    """Put a checkpoint, which becomes the frame's head when its id is the greatest.

    ``ep`` is the thread's epoch from now on; ``expect`` the one that it must have had ('' = there
    must be no thread). ``needs``: the names of values that do not come along; ``after``: the
    checkpoint that has them ('' = whichever); ``free``: the names of segments that go on with a
    line; ``shared``: what of the log of ``after`` stands in values that come along. -> ok |
    busy(run) | conflict(head) | unstored: what is needed is not there (any more), or a segment
    already.
    """
    arguments = Arguments()
    return arguments.script(
        "put",
        thread,
        changed,
        ns=frame.hash,
        frame=frame_row(frame),
        ep=ep,
        expect=False if expect is None else expect,
        needs=needs,
        after=after,
        free=free,
        shared=shared,
        id=arguments.add(thread.thread_id.encode("utf-8", "surrogatepass")),
        graph=graph,
        fp=fp,
        queue=queue,
        checkpoint=arguments.checkpoint(checkpoint),
    )


def put_writes(
    thread: Thread,
    ns: str,
    cp: str,
    records: tuple[bytes, ...],
    *,
    asks: bool,
    new_ep: str,
    ep: str = "",
) -> Script[Changed]:
    """Append records to the log of the checkpoint ``cp``; ``asks``: the thread waits from now on.

    ``ep``: the epoch as the caller read it, when the records hold what was open then; ``new_ep``
    is the one from now on. -> ok | busy(run) | missing | conflict(ep): read what is there first.
    """
    arguments = Arguments()
    positions = [arguments.add(record) for record in records]
    return arguments.script(
        "put_writes",
        thread,
        changed,
        ns=ns,
        cp=cp,
        ep=ep,
        new_ep=new_ep,
        asks=asks,
        records=positions,
    )


def forget(
    thread: Thread,
    fields: tuple[str, ...],
    heads: tuple[NewHead, ...],
    *,
    ep: str,
    new_ep: str,
    bundles: tuple[str, ...] = (),
) -> Script[Changed]:
    """Remove fields of the checkpoint key, and larger bundles, unless the epoch is not ``ep``.

    ``new_ep`` is its epoch from now on. ``heads``: the new heads of the frames whose head goes.
    -> ok | busy(run) | missing | conflict(head).
    """
    arguments = Arguments()
    given = [
        NewHeadRow(ns=each.ns, checkpoint=each.cp, step=each.step, refs=arguments.refs(each.refs))
        for each in heads
    ]
    return arguments.script(
        "forget",
        thread,
        changed,
        ep=ep,
        new_ep=new_ep,
        fields=fields,
        bundles=bundles,
        heads=given,
    )
