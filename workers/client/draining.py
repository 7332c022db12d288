"""How a caller's RunControl reaches a run that workers carry."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from distgraph.core.model import Failed, RunTasks
from distgraph.core.recorded import errored
from distgraph.engine import GoOn, Save
from distgraph.errors import GraphDrained
from distgraph.runners.backend import Job

from .carrier import Carrier
from .effects import Flow


def relayed(carrier: Carrier, job: Job, thread: Thread, run: str) -> Callable[[], None]:
    """Have requests of the job's control told to workers, also one made already.

    Return what ends that. Who asks waits until Redis knows, and is told where it can't be reached.
    """
    control = job.invocation.control
    if control is None:
        return _nothing
    if control.drain_reason is not None:
        _tell(carrier, thread, run, control.drain_reason)
    return control.pass_on(partial(_tell, carrier, thread, run))


def _tell(carrier: Carrier, thread: Thread, run: str, reason: str) -> None:
    carrier.perform(_drain(thread, run, reason))


def _drain(thread: Thread, run: str, reason: str) -> Flow:
    yield commands.drain(thread, run, reason)


def _nothing() -> None:
    """End what has not begun."""


def stopped(job: Job, request: Save | GoOn) -> Failed | None:
    """Return how a run ends that was asked to stop before its first tasks; None where it begins."""
    control = job.invocation.control
    if control is None or control.drain_reason is None or not isinstance(request.then, RunTasks):
        return None
    return Failed(errored(GraphDrained(control.drain_reason)))
