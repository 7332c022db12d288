"""What a handle of a thread asks of the store, as flows: ThreadNotFound when it does not exist."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from checkpoint_redis import commands, removing
from checkpoint_redis.keys import Thread
from checkpoint_redis.layout import AnswerMode, ThreadStatus
from checkpoint_redis.readings import Header, Listed, Loaded, RunLine
from checkpoint_redis.sightings import WorkerSeen
from distgraph._foreign import foreign
from distgraph.core.model import ThreadState
from distgraph.core.plan import check_nodes
from distgraph.core.resume import bind, pending
from distgraph.errors import ThreadNotFound
from distgraph.graph.checks import check_by
from distgraph.runners.backend import Listing, Place
from distgraph.types import Command, Interrupt

from ..shared.hints import nameless
from ..shared.served import Registry
from ..shared.serving import lives, serves
from .adopting import adopt
from .answering import answer, busy, refuse_question_of_saver
from .attaching import FoundRun, attach
from .cancelling import cancel
from .effects import Effect, Flow
from .labels import Outlet, derived, recorded
from .listed import ThreadInfo, info_of
from .past import AnswerInfo, RunInfo, answers, run_info
from .reading import history, load_state
from .replying import Replies, by_id, pairs_of


@dataclass(frozen=True, slots=True)
class OnThread:
    """The flows of one thread."""

    registry: Registry
    thread: Thread

    def header(self) -> Generator[Effect, Any, Header]:
        """Return its header."""
        header: Header | None = yield commands.header(self.thread)
        if header is None:
            raise self._missing()
        return header

    def status(self) -> Generator[Effect, Any, str]:
        """Return how it stands."""
        return (yield from self.header()).st.value

    def graph(self) -> Generator[Effect, Any, str]:
        """Return the name of its graph."""
        return (yield from self.header()).graph

    def served(self) -> Generator[Effect, Any, bool]:
        """Return whether a living worker can go on with it."""
        header = yield from self.header()
        workers: tuple[WorkerSeen, ...] = yield commands.workers(self.thread.namespace)
        return serves(filter(lives, workers), header.graph, header.fp, header.format)

    def info(self) -> Generator[Effect, Any, ThreadInfo]:
        """Return its line in a list of threads."""
        listed: Listed | None = yield commands.line(self.thread)
        if listed is None:
            raise self._missing()
        return info_of(self.registry.common_wire(), listed)

    def state(self) -> Generator[Effect, Any, ThreadState]:
        """Return all that is stored about its newest checkpoint."""
        _, state = yield from load_state(self.registry.common_wire(), self.thread)
        if state is None:
            raise self._missing()
        return state

    def history(self, limit: int | None) -> Generator[Effect, Any, list[ThreadState]]:
        """Return its checkpoints, newest first."""
        yield from self.header()
        wire, place = self.registry.common_wire(), Place(self.thread.thread_id)
        states: list[ThreadState] = yield from history(
            wire, self.thread, place, Listing(limit=limit)
        )
        return states

    def interrupts(self) -> Generator[Effect, Any, tuple[Interrupt, ...]]:
        """Return the questions that wait."""
        state = yield from self.state()
        return tuple(question.interrupt for _, question in pending(state).values())

    def runs(self) -> Generator[Effect, Any, list[RunInfo]]:
        """Return its last runs, newest first."""
        yield from self.header()
        lines: tuple[RunLine, ...] = yield commands.runs(self.thread)
        return [run_info(line.run, line) for line in lines]

    def answers(self, limit: int | None) -> Generator[Effect, Any, list[AnswerInfo]]:
        """Return the questions that were answered, newest first."""
        yield from self.header()
        return (yield from answers(self.registry.common_wire(), self.thread, limit))

    def cancel(self, *, kill: bool) -> Generator[Effect, Any, bool]:
        """Cancel whatever runs or waits."""
        yield from self.header()
        return (yield from cancel(self.thread, kill=kill))

    def delete(self) -> Flow:
        """Remove everything, in whichever format it is."""
        if (yield commands.any_header(self.thread)) is None:
            raise self._missing()
        yield from removing.delete(self.thread)

    def _missing(self) -> ThreadNotFound:
        return ThreadNotFound(f"No thread {self.thread.thread_id[:200]!r} is stored.")

    # --- going on ----------------------------------------------------------------------------

    def resume(self, value: Any, by: str | None) -> Generator[Effect, Any, FoundRun]:
        """Answer; return the run that this began or joined."""
        if isinstance(value, Command) or foreign(value):
            msg = "ThreadHandle.resume() takes the answer itself, which a Command only carries."
            raise TypeError(msg)
        who, run = check_by("resume", by), str(uuid.uuid4())
        known = yield from by_id(self.registry.common_wire(), self.thread, value)
        same = known is not None and not self._has_other(known.header)
        replies = known if known and same else (yield from self._bound(value))
        # Where nothing asks, graphs inside tasks are at breakpoints, which all have to be released.
        mode: AnswerMode = "resume" if replies.pairs else "reask"
        answered = yield from answer(
            self.thread,
            run,
            mode,
            replies.pairs,
            self._outlet(replies.header, replies.loaded),
            graph_fp=replies.version,
            by=who,
        )
        return (yield from attach(self.registry, self.thread, answered.run or run))

    def _has_other(self, header: Header) -> bool:
        """Whether this process has another version of the thread's graph."""
        served = self.registry.get(header.graph)
        return served is not None and served.graph.fingerprint != header.fp

    def _bound(self, value: Any) -> Generator[Effect, Any, Replies]:
        """Return the answers that ``value`` means, after a look at all that the thread asks."""
        wire = self.registry.common_wire()
        loaded, state = yield from load_state(wire, self.thread)
        if loaded is None or state is None:
            raise self._missing()
        refuse_question_of_saver(loaded, self.thread.thread_id)
        replies = bind(state, value)
        if loaded.header.st is ThreadStatus.busy and not replies:
            raise busy(self.thread, loaded.header.run)
        version = self._version(loaded.header, state)
        pairs = pairs_of(wire.of(loaded.header.graph), replies)
        return Replies(loaded.header, pairs, version, loaded)

    def retry(self, by: str | None) -> Generator[Effect, Any, FoundRun]:
        """Run its failed tasks again; return the run."""
        who, run = check_by("retry", by), str(uuid.uuid4())
        header, loaded, version = (yield from self.header()), None, ""
        if self.registry.get(header.graph) is not None:
            loaded, state = yield from load_state(self.registry.common_wire(), self.thread)
            header = loaded.header if loaded else header
            version = self._version(header, state)
        answered = yield from answer(
            self.thread,
            run,
            "retry",
            (),
            self._outlet(header, loaded),
            ep=header.ep,
            graph_fp=version,
            by=who,
        )
        return (yield from attach(self.registry, self.thread, answered.run or run))

    def _outlet(self, header: Header, loaded: Loaded | None) -> Outlet:
        """Return where the jobs go by which the thread goes on."""
        wire = self.registry.common_wire().of(header.graph)
        served = self.registry.get(header.graph)
        if loaded is not None:
            called = recorded(wire, loaded)
        else:
            called = nameless if served is None else derived(served.graph, header)
        return Outlet(header.queue, header.graph, wire, called)

    def _version(self, header: Header, state: ThreadState | None) -> str:
        """Return the version of the thread's graph that goes on, '' = its own.

        The one that this process has, if any: NodesMissing when it has not the nodes for it.
        """
        served = self.registry.get(header.graph)
        if served is None or state is None:
            return ""
        check_nodes(served.graph, state)
        return served.graph.fingerprint

    def adopt(self, *, restart: bool) -> Flow:
        """Take it over to its graph as this process has it."""
        loaded, state = yield from load_state(self.registry.common_wire(), self.thread)
        if loaded is None or state is None:
            raise self._missing()
        served = self.registry.get(loaded.header.graph)
        if served is None:
            msg = (
                f"Graph '{loaded.header.graph}' of this thread is not registered on this backend: "
                "compile it with backend=."
            )
            raise LookupError(msg)
        yield from adopt(served, self.thread, loaded, state, restart=restart)
