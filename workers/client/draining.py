"""How a caller's RunControl reaches a run that workers carry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import RunOutcome
from distgraph.core.model import Failed, RunTasks
from distgraph.core.recorded import errored
from distgraph.engine import GoOn, Save
from distgraph.errors import GraphDrained
from distgraph.runners.backend import Job

from .carrier import Carrier
from .concluding import ENDED
from .effects import Effect, Flow, Together

LOOKED_AT = 2
"""So many runs are looked at with each that is submitted: more end than begin by that."""


@dataclass(slots=True)
class DrainRelay:
    """Tells workers what the control of one run is asked; ``end`` ends that.

    Who asks waits until Redis knows, and is told where it can't be reached.
    """

    carrier: Carrier
    thread: Thread
    run: str
    end: Callable[[], None] = field(init=False)

    def __call__(self, reason: str) -> None:
        """Have the run stop."""
        self.carrier.perform(_drain(self.thread, self.run, reason))


@dataclass(frozen=True, slots=True)
class Relays:
    """What was submitted with a control, and may hear of it until its run is over."""

    carrier: Carrier
    known: deque[DrainRelay] = field(default_factory=deque)

    def followed(self, job: Job, thread: Thread, flow: Flow) -> Flow:
        """Carry out ``flow``, which follows a run to its end, and have it told until then."""
        relay = self._relay(job, thread)
        try:
            yield from _told_before(job, thread)
            return (yield from flow)
        finally:
            _end(relay)

    def submitted(self, job: Job, thread: Thread, begin: Flow) -> Generator[Effect, Any, Any]:
        """Carry out ``begin``, which begins a run that nobody here may wait for.

        It is told until it is found to be over, when others are submitted.
        """
        relay = self._relay(job, thread)
        try:
            if relay is not None:
                yield from self._forget()
            yield from _told_before(job, thread)
            begun = yield from begin
        except BaseException:
            _end(relay)
            raise
        if relay is not None:
            self.known.append(relay)
        return begun

    def _relay(self, job: Job, thread: Thread) -> DrainRelay | None:
        """Return what has requests of the job's control told to workers from now on."""
        control = job.invocation.control
        if control is None:
            return None
        relay = DrainRelay(self.carrier, thread, job.run_id)
        relay.end = control.pass_on(relay)
        return relay

    def _forget(self) -> Generator[Effect, Any, None]:
        """Look at the runs that were submitted first: nobody is to be told of what is over."""
        first = [self.known.popleft() for _ in range(min(LOOKED_AT, len(self.known)))]
        if not first:
            return
        asked = tuple(commands.outcome(relay.thread, relay.run) for relay in first)
        outcomes: tuple[RunOutcome | None, ...] = yield Together(asked)
        for relay, outcome in zip(first, outcomes, strict=True):
            if outcome is None or outcome.status in ENDED:
                relay.end()
            else:
                self.known.append(relay)


def _drain(thread: Thread, run: str, reason: str) -> Flow:
    yield commands.drain(thread, run, reason)


def _told_before(job: Job, thread: Thread) -> Flow:
    """Have workers told of a request that was made already."""
    control = job.invocation.control
    if control is not None and control.drain_reason is not None:
        yield from _drain(thread, job.run_id, control.drain_reason)


def _end(relay: DrainRelay | None) -> None:
    if relay is not None:
        relay.end()


def stopped(job: Job, request: Save | GoOn) -> Failed | None:
    """Return how a run ends that was asked to stop before its first tasks; None where it begins."""
    control = job.invocation.control
    if control is None or control.drain_reason is None or not isinstance(request.then, RunTasks):
        return None
    return Failed(errored(GraphDrained(control.drain_reason)))
