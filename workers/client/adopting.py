"""How a thread is taken over to another version of its graph."""

from __future__ import annotations

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import TaskId
from checkpoint_redis.readings import Loaded
from checkpoint_redis.replies import Adopted, OutboxEntry
from distgraph.core.model import ThreadState
from distgraph.core.plan import check_nodes
from distgraph.errors import ThreadConflict

from ..shared.hints import outgoing
from ..shared.served import Served
from ..shared.supersteps import nonce
from .answering import busy, moved_on, publish_outbox
from .effects import Flow, HintsOut, Publish, Reach
from .labels import Outlet, recorded


def adopt(
    served: Served, thread: Thread, loaded: Loaded, state: ThreadState, *, restart: bool
) -> Flow:
    """Have ``served`` go on with a thread that stands as ``loaded`` and ``state`` tell.

    Raises NodesMissing, ThreadBusy without ``restart``, ThreadConflict.
    """
    check_nodes(served.graph, state)
    yield Reach()
    ep = nonce()
    adopted: Adopted = yield commands.adopt(
        thread,
        ep=loaded.header.ep,
        new_ep=ep,
        fp=served.graph.fingerprint,
        queue=served.queue,
        restart=restart,
    )
    if adopted.status == "busy":
        raise busy(thread, adopted.run, ", or have it begin again with .adopt(restart=True)")
    if adopted.status != "ok":
        raise ThreadConflict(moved_on(thread))
    if adopted.advance:
        closed = OutboxEntry("", ep, TaskId.advance, served.queue, 0)
        yield Publish(tuple(outgoing(thread.x, [closed])))
    called = recorded(served.wire, loaded)
    outlet = Outlet(served.queue, loaded.header.graph, served.wire, called)
    if adopted.busy and (yield from publish_outbox(thread, ep, outlet)):
        yield HintsOut(thread, ep)
    return None
