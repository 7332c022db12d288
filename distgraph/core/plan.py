"""What the next superstep runs: the same state gives the same tasks, ids and order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from hashlib import blake2b

from distgraph.core.graph import Graph
from distgraph.core.growth import grown
from distgraph.core.merge import merge, updated
from distgraph.core.model import (
    START,
    UNSAVED,
    Checkpoint,
    Target,
    Task,
    ThreadState,
)
from distgraph.core.triggering import triggered
from distgraph.errors import NodesMissing


def digest(*parts: str) -> str:
    """Return 32 hex digits that depend on every part and on where the parts end."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def task_id(checkpoint: Checkpoint, ns: str, node: str, index: int | None) -> str:
    """Return the id of a task: shaped like a UUID, equal whenever the same step is planned."""
    if index is None:
        return pulled_id(checkpoint.id, checkpoint.step, ns, node)
    return _id(checkpoint.id, checkpoint.step, ns, node, f"push:{index}")


def pulled_id(checkpoint_id: str, step: int, ns: str, node: str) -> str:
    """Return the id of the task of a node that an edge leads to, from that checkpoint."""
    return _id(checkpoint_id, step, ns, node, "pull")


def called_id(checkpoint: Checkpoint, ns: str, caller: Task, node: str, index: int) -> str:
    """Return the id of the ``index``-th call of a function that ``caller`` makes."""
    return _id(checkpoint.id, checkpoint.step, ns, node, f"call:{caller.id}:{index}")


def handler_id(failed: str) -> str:
    """Return the id of the error handler's task for the one with the id ``failed``."""
    return _id(failed, 0, "", "", "handler")


def _id(checkpoint_id: str, step: int, ns: str, node: str, which: str) -> str:
    d = digest(checkpoint_id, ns, str(step + 1), node, which)
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}"


def plan(checkpoint: Checkpoint, ns: str = "") -> tuple[Task, ...]:
    """Return the tasks of the next superstep, listed as snapshots do: Sends, then nodes by name."""
    sends = [target for target in checkpoint.frontier if not isinstance(target, str)]
    names = sorted({target for target in checkpoint.frontier if isinstance(target, str)})
    pushed = (
        Task(task_id(checkpoint, ns, send.node, i), send.node, i, send)
        for i, send in enumerate(sends)
    )
    pulled = (Task(task_id(checkpoint, ns, name, None), name, 0) for name in names)
    return (*pushed, *pulled)


def with_caller_writes(graph: Graph, state: ThreadState) -> Checkpoint:
    """Return the checkpoint as its open superstep sees it: callers' updates and gotos included.

    A channel that the caller changed has the reference UNSAVED until the next commit.
    """
    checkpoint = state.checkpoint
    for caller_write in state.caller_writes:
        changed = merge(graph.channels, checkpoint.values, caller_write.writes)
        values = updated(checkpoint.values, changed)
        extended = grown(graph.growing, checkpoint, values, changed)
        checkpoint = replace(
            checkpoint,
            values=values,
            grown={**checkpoint.grown, **dict.fromkeys(changed, ""), **extended},
            versions={**checkpoint.versions, **dict.fromkeys(changed, UNSAVED)},
            frontier=_extended(
                checkpoint.frontier, (*caller_write.goto, *triggered(graph, changed))
            ),
        )
    return checkpoint


def seen_by(graph: Graph, state: ThreadState, reads: Collection[str]) -> Checkpoint:
    """Return what ``with_caller_writes`` does, for a task that reads the keys ``reads`` alone.

    What callers wrote to others is left out: their values need not be in ``state``.
    """
    if not state.caller_writes:
        return state.checkpoint
    own = tuple(
        replace(each, writes=tuple(write for write in each.writes if write[0] in reads))
        for each in state.caller_writes
    )
    return with_caller_writes(graph, replace(state, caller_writes=own))


def _extended(frontier: tuple[Target, ...], more: tuple[Target, ...]) -> tuple[Target, ...]:
    fresh = tuple(t for t in more if not isinstance(t, str) or t not in frontier)
    return (*frontier, *fresh)


def tasks_of(graph: Graph, state: ThreadState, ns: str = "") -> tuple[Task, ...]:
    """Return the tasks of the superstep that runs from ``state``."""
    return plan(with_caller_writes(graph, state), ns)


def check_nodes(graph: Graph, state: ThreadState) -> None:
    """Raise NodesMissing when the superstep that runs from ``state`` has nodes of another graph."""
    wanted = [*state.checkpoint.frontier, *(t for w in state.caller_writes for t in w.goto)]
    names = {target if isinstance(target, str) else target.node for target in wanted}
    if missing := sorted(names - graph.nodes.keys() - {START}):
        raise NodesMissing(graph.name, missing)


def is_input(checkpoint: Checkpoint) -> bool:
    """Whether this is the checkpoint that holds an input which is not applied yet."""
    return checkpoint.frontier == (START,)
