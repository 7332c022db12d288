"""One call of a graph on its way into the store."""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis import about
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import ThreadStatus
from checkpoint_redis.readings import Loaded
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.engine import limits_of
from distgraph.errors import ThreadBusy, ThreadConflict, ThreadExists
from distgraph.runners.backend import Job
from distgraph.types import Command

from ..shared.served import Served
from ..shared.shown import Shown
from ..shared.wire import Wire
from .answering import busy, moved_on


@dataclass(slots=True)
class Submission:
    """A job, where it goes, and what was found there; ``origin`` is the state it starts from."""

    job: Job
    served: Served
    thread: Thread
    run: str
    metadata_keys: tuple[str, ...]
    loaded: Loaded | None = None
    origin: ThreadState | None = None

    @property
    def graph(self) -> Graph:
        """The graph that is called."""
        return self.served.graph

    @property
    def wire(self) -> Wire:
        """What encodes its values."""
        return self.served.wire

    @property
    def head(self) -> str:
        """The thread's newest checkpoint, '' when it has none."""
        return self.loaded.header.cp if self.loaded else ""

    @property
    def epoch(self) -> str:
        """The epoch of what was found; '' where there was no thread."""
        return self.loaded.header.ep if self.loaded else ""

    @property
    def status(self) -> ThreadStatus | None:
        """How the thread stood; None when it did not exist."""
        return self.loaded.header.st if self.loaded else None

    @property
    def is_open(self) -> bool:
        """Whether Redis has an open superstep for the thread."""
        return self.loaded is not None and bool(self.loaded.tasks)

    @property
    def resumes(self) -> bool:
        """Whether the caller gave an answer."""
        given = self.job.start.given
        return isinstance(given, Command) and given.resume is not None

    @property
    def stop(self) -> int:
        """The last step that the run may take, counted from where it starts."""
        return limits_of(self.job.start, self.origin).stop

    @property
    def about(self) -> dict[str, about.MetaValue]:
        """What it says of the thread."""
        return about.kept(self.job.invocation.config.get("metadata") or {})

    @property
    def modes(self) -> str:
        """The stream modes that are recorded for who follows the run."""
        return Shown(self.job.modes, self.job.subgraphs, {}).record

    def busy(self, run: str) -> ThreadBusy | ThreadExists:
        """Return what the caller is told when ``run`` is under way."""
        return self.exists() if self.job.if_new else busy(self.thread, run)

    def conflict(self, head: str = "") -> ThreadConflict:
        """Return what the caller is told when somebody else was faster; ``head``: what is there."""
        new = self.job.if_new and head
        return self.exists() if new else ThreadConflict(moved_on(self.thread))

    def exists(self) -> ThreadExists:
        """Return what a caller is told who wanted to begin the thread."""
        name = self.thread.thread_id
        what = f"Thread {name[:200]!r} is stored already, and the run was to begin it."
        return ThreadExists(what, "Go on with it by a call without if_new, or name another one.")
