"""Commands of a saver: what a program in any process stores of a thread at rest."""

# ruff: noqa: PLR0913 - the arguments are those of the wire
from __future__ import annotations

from checkpoint_redis.commands.run import changed
from checkpoint_redis.commands.script import Arguments, Script
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import NewHeadRow
from checkpoint_redis.records import CheckpointEntry, NewHead
from checkpoint_redis.replies import Changed


def put(
    thread: Thread,
    ns: str,
    checkpoint: CheckpointEntry,
    *,
    ep: str,
    fresh: bool = False,
    graph: str = "",
    fp: str = "",
    queue: str = "",
) -> Script[Changed]:
    """Put a checkpoint, which becomes the head when its id is the greatest.

    ``fresh``: only on a thread that does not exist. -> ok | busy(run) | conflict(head).
    """
    arguments = Arguments()
    return arguments.script(
        "put",
        thread,
        changed,
        ns=ns,
        ep=ep,
        fresh=fresh,
        id=arguments.add(thread.thread_id.encode("utf-8", "surrogatepass")),
        graph=graph,
        fp=fp,
        queue=queue,
        checkpoint=arguments.checkpoint(checkpoint),
    )


def put_writes(
    thread: Thread, ns: str, cp: str, records: tuple[bytes, ...], *, asks: bool, ep: str = ""
) -> Script[Changed]:
    """Append records to the log of the checkpoint ``cp``; ``asks``: the thread waits from now on.

    ``ep``: the open superstep that the records replace. -> ok | busy(run) | missing |
    conflict(ep): there is an open superstep, which must be read first.
    """
    arguments = Arguments()
    positions = [arguments.add(record) for record in records]
    return arguments.script(
        "put_writes", thread, changed, ns=ns, cp=cp, ep=ep, asks=asks, records=positions
    )


def forget(
    thread: Thread, fields: tuple[str, ...], heads: tuple[NewHead, ...], *, ep: str
) -> Script[Changed]:
    """Remove fields of the checkpoint key, unless the thread has changed since its epoch ``ep``.

    ``heads``: the new heads of the frames whose head is removed.
    -> ok | busy(run) | missing | conflict(head).
    """
    arguments = Arguments()
    given = [
        NewHeadRow(ns=each.ns, checkpoint=each.cp, step=each.step, refs=arguments.refs(each.refs))
        for each in heads
    ]
    return arguments.script("forget", thread, changed, ep=ep, fields=fields, heads=given)
