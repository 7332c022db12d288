"""One thread as operators see it: no graph code is needed."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from typing import Any

from checkpoint_redis import removing
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnswerMode, ThreadStatus
from checkpoint_redis.replies import Header, Loaded
from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph._foreign import foreign
from distgraph.core.model import ThreadState
from distgraph.core.plan import check_nodes
from distgraph.core.resume import bind, pending
from distgraph.errors import ThreadNotFound
from distgraph.graph.checks import check_by
from distgraph.runners.backend import Listing, Place
from distgraph.runners.handle import Run
from distgraph.types import Command, Interrupt

from ..shared.hints import nameless
from ..shared.served import Registry
from ..shared.serving import lives, serves
from .adopting import adopt
from .answering import answer, busy, refuse_question_of_saver
from .attaching import attach
from .cancelling import cancel
from .carrier import Carrier
from .effects import Effect, Flow
from .labels import Outlet, derived, recorded
from .listing import ThreadInfo, info_of
from .past import AnswerInfo, RunInfo, answers, run_info
from .reading import history, load_state
from .replying import Replies, by_id, pairs_of
from .run import attached


@checked
class ThreadHandle:
    """One thread of a backend. Every call raises ThreadNotFound when it does not exist."""

    def __init__(self, carrier: Carrier, registry: Registry, thread: Thread) -> None:
        self._carrier, self._registry, self._thread = carrier, registry, thread

    @property
    def id(self) -> str:
        """The thread's id."""
        return self._thread.thread_id

    @property
    def status(self) -> str:
        """idle, busy, interrupted or error."""
        return self._header().st.value

    @property
    def graph(self) -> str:
        """The name of the graph that runs on it."""
        return self._header().graph

    @property
    def served(self) -> bool:
        """Whether a living worker has its graph in the version that the thread needs.

        What is answered or started on one that is not served waits for such a worker.
        """
        workers = self._carrier.ledger.workers(self._thread.namespace)
        return serves(filter(lives, workers), self._header())

    @property
    def info(self) -> ThreadInfo:
        """Its line in a list of threads."""
        return info_of(self._header(), self._thread.x)

    @property
    def state(self) -> ThreadState:
        """Everything that is stored about its newest checkpoint."""
        wire = self._registry.common_wire()
        _, state = self._carrier.perform(load_state(wire, self._thread))
        if state is None:
            raise self._missing()
        found: ThreadState = state
        return found

    def history(self, limit: HowMany | None = None) -> list[ThreadState]:
        """Return what is stored at each of its checkpoints, newest first and at most ``limit``.

        Raises ValueError for a limit below 0.
        """
        self._header()
        wire, place = self._registry.common_wire(), Place(self.id)
        flow = history(wire, self._thread, place, Listing(limit=limit))
        states: list[ThreadState] = self._carrier.perform(flow)
        return states

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """The questions that wait for an answer."""
        return tuple(question.interrupt for _, question in pending(self.state).values())

    def runs(self) -> list[RunInfo]:
        """List its last 21 runs, newest first: how they began and ended, and who started them."""
        self._header()
        return [run_info(line.run, line) for line in self._carrier.ledger.runs(self._thread)]

    def answers(self, limit: HowMany | None = None) -> list[AnswerInfo]:
        """List the questions that were answered at the checkpoints that are kept, newest first.

        Of supersteps that left over 64 results or 256 KB nothing is listed. At most ``limit``;
        ValueError below 0.
        """
        self._header()
        flow = answers(self._registry.common_wire(), self._thread, limit)
        found: list[AnswerInfo] = self._carrier.perform(flow)
        return found

    def resume(self, value: Any, *, by: str | None = None) -> Run[Any]:
        """Answer: a bare value for the only question, or ``{interrupt id: value}``.

        ``by`` says who answers, in at most 255 characters; it is kept with the answer and its run.
        Returns the run's handle at once. Raises NothingToResume, NoSuchInterrupt, AmbiguousResume,
        ThreadBusy, and TypeError for a Command.
        """
        if isinstance(value, Command) or foreign(value):
            msg = "ThreadHandle.resume() takes the answer itself, which a Command only carries."
            raise TypeError(msg)
        who = check_by("resume", by)
        return self._carried_by(self._resume(str(uuid.uuid4()), value, who))

    def _carried_by(self, flow: Flow) -> Run[Any]:
        """Return the handle of the run that ``flow`` began or joined."""
        run = self._carrier.perform(flow)
        found = self._carrier.perform(attach(self._registry, self._thread, run))
        return attached(self._carrier, self._registry, self._thread, found)

    def _resume(self, run: str, value: Any, by: str) -> Flow:
        known = yield from by_id(self._registry.common_wire(), self._thread, value)
        same = known is not None and not self._has_other(known.header)
        replies = known if known and same else (yield from self._bound(value))
        # Where nothing asks, graphs inside tasks are at breakpoints, which all have to be released.
        mode: AnswerMode = "resume" if replies.pairs else "reask"
        answered = yield from answer(
            self._thread,
            run,
            mode,
            replies.pairs,
            self._outlet(replies.header, replies.loaded),
            graph_fp=replies.version,
            by=by,
        )
        return answered.run or run

    def _has_other(self, header: Header) -> bool:
        """Whether this process has another version of the thread's graph."""
        served = self._registry.get(header.graph)
        return served is not None and served.graph.fingerprint != header.fp

    def _bound(self, value: Any) -> Generator[Effect, Any, Replies]:
        """Return the answers that ``value`` means, after a look at all that the thread asks."""
        wire = self._registry.common_wire()
        loaded, state = yield from load_state(wire, self._thread)
        if loaded is None or state is None:
            raise self._missing()
        refuse_question_of_saver(loaded, self.id)
        replies = bind(state, value)
        if loaded.header.st is ThreadStatus.busy and not replies:
            raise busy(self._thread, loaded.header.run)
        version = self._version(loaded.header, state)
        return Replies(loaded.header, pairs_of(wire, replies), version, loaded)

    def retry(self, *, by: str | None = None) -> Run[Any]:
        """Run the failed tasks of a thread in error again; return the run's handle at once.

        ``by`` says who wants that, in at most 255 characters.
        """
        who = check_by("retry", by)
        return self._carried_by(self._retry(str(uuid.uuid4()), who))

    def _retry(self, run: str, by: str) -> Flow:
        header, loaded, version = self._header(), None, ""
        if self._registry.get(header.graph) is not None:
            loaded, state = yield from load_state(self._registry.common_wire(), self._thread)
            header = loaded.header if loaded else header
            version = self._version(header, state)
        answered = yield from answer(
            self._thread,
            run,
            "retry",
            (),
            self._outlet(header, loaded),
            ep=header.ep,
            graph_fp=version,
            by=by,
        )
        return answered.run or run

    def _outlet(self, header: Header, loaded: Loaded | None) -> Outlet:
        """Return where the jobs go by which the thread goes on."""
        wire, served = self._registry.common_wire(), self._registry.get(header.graph)
        if loaded is not None:
            called = recorded(wire, loaded)
        else:
            called = nameless if served is None else derived(served.graph, header)
        return Outlet(header.queue, header.graph, wire, called)

    def _version(self, header: Header, state: ThreadState | None) -> str:
        """Return the version of the thread's graph that goes on, '' = its own.

        The one that this process has, if any: NodesMissing when it has not the nodes for it.
        """
        served = self._registry.get(header.graph)
        if served is None or state is None:
            return ""
        check_nodes(served.graph, state)
        return served.graph.fingerprint

    def adopt(self, *, restart: bool = False) -> None:
        """Take it over to its graph as this process has it, whose workers go on with it.

        ``restart``: also when it is busy; then what runs at the moment is void and begins again.
        Raises NodesMissing when the graph has not the nodes that the thread runs next, ThreadBusy,
        ThreadConflict, and LookupError when this process has not got the graph.
        """
        self._carrier.perform(self._adopt(restart=restart))

    def _adopt(self, *, restart: bool) -> Flow:
        loaded, state = yield from load_state(self._registry.common_wire(), self._thread)
        if loaded is None or state is None:
            raise self._missing()
        served = self._registry.get(loaded.header.graph)
        if served is None:
            msg = (
                f"Graph '{loaded.header.graph}' of this thread is not registered on this backend: "
                "compile it with backend=."
            )
            raise LookupError(msg)
        yield from adopt(served, self._thread, loaded, state, restart=restart)

    def cancel(self, *, kill: bool = False) -> bool:
        """Cancel whatever runs or waits; the state stays at its newest checkpoint.

        ``kill``: end its blocking nodes too, as ``Run.cancel`` does.
        """
        self._header()
        return cancel(self._carrier.ledger, self._thread, kill=kill)

    def delete(self) -> None:
        """Remove everything that is stored about it."""
        if self._carrier.ledger.any_header(self._thread) is None:
            raise self._missing()
        self._carrier.perform(removing.delete(self._thread))

    def _header(self) -> Header:
        header = self._carrier.ledger.header(self._thread)
        if header is None:
            raise self._missing()
        return header

    def _missing(self) -> ThreadNotFound:
        return ThreadNotFound(f"No thread {self.id[:200]!r} is stored.")
