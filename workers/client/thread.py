"""One thread as operators see it: no graph code is needed."""

from __future__ import annotations

from typing import Any

from checkpoint_redis.keys import Thread
from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph.core.model import ThreadState
from distgraph.runners.handle import Run
from distgraph.types import Interrupt

from ..shared.served import Registry
from .attaching import FoundRun
from .carrier import Carrier
from .listed import ThreadInfo
from .on_thread import OnThread
from .past import AnswerInfo, RunInfo
from .run import attached


@checked
class ThreadHandle:
    """One thread of a backend. Every call raises ThreadNotFound when it does not exist.

    Every ``a...`` method does what its namesake does, or returns what the attribute of that name
    is, on the caller's event loop.
    """

    def __init__(self, carrier: Carrier, registry: Registry, thread: Thread) -> None:
        self._carrier, self._registry, self._thread = carrier, registry, thread
        self._on = OnThread(registry, thread)

    @property
    def id(self) -> str:
        """The thread's id."""
        return self._thread.thread_id

    @property
    def status(self) -> str:
        """idle, busy, interrupted or error."""
        return self._carrier.perform(self._on.status())

    async def astatus(self) -> str:
        """Return what ``status`` is."""
        return await self._carrier.aperform(self._on.status())

    @property
    def graph(self) -> str:
        """The name of the graph that runs on it."""
        return self._carrier.perform(self._on.graph())

    async def agraph(self) -> str:
        """Return what ``graph`` is."""
        return await self._carrier.aperform(self._on.graph())

    @property
    def served(self) -> bool:
        """Whether a living worker has its graph in the version that the thread needs.

        What is answered or started on one that is not served waits for such a worker.
        """
        return self._carrier.perform(self._on.served())

    async def aserved(self) -> bool:
        """Return what ``served`` is."""
        return await self._carrier.aperform(self._on.served())

    @property
    def info(self) -> ThreadInfo:
        """Its line in a list of threads."""
        return self._carrier.perform(self._on.info())

    async def ainfo(self) -> ThreadInfo:
        """Return what ``info`` is."""
        return await self._carrier.aperform(self._on.info())

    @property
    def state(self) -> ThreadState:
        """Everything that is stored about its newest checkpoint."""
        return self._carrier.perform(self._on.state())

    async def astate(self) -> ThreadState:
        """Return what ``state`` is."""
        return await self._carrier.aperform(self._on.state())

    def history(self, limit: HowMany | None = None) -> list[ThreadState]:
        """Return what is stored at each of its checkpoints, newest first and at most ``limit``.

        Raises ValueError for a limit below 0.
        """
        return self._carrier.perform(self._on.history(limit))

    async def ahistory(self, limit: HowMany | None = None) -> list[ThreadState]:
        """Do what ``history`` does."""
        return await self._carrier.aperform(self._on.history(limit))

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """The questions that wait for an answer."""
        return self._carrier.perform(self._on.interrupts())

    async def ainterrupts(self) -> tuple[Interrupt, ...]:
        """Return what ``interrupts`` are."""
        return await self._carrier.aperform(self._on.interrupts())

    def runs(self) -> list[RunInfo]:
        """List its last 21 runs, newest first: how they began and ended, and who started them."""
        return self._carrier.perform(self._on.runs())

    async def aruns(self) -> list[RunInfo]:
        """Do what ``runs`` does."""
        return await self._carrier.aperform(self._on.runs())

    def answers(self, limit: HowMany | None = None) -> list[AnswerInfo]:
        """List the questions that were answered at the checkpoints that are kept, newest first.

        Of supersteps that left over 64 results or 256 KB nothing is listed. At most ``limit``;
        ValueError below 0.
        """
        return self._carrier.perform(self._on.answers(limit))

    async def aanswers(self, limit: HowMany | None = None) -> list[AnswerInfo]:
        """Do what ``answers`` does."""
        return await self._carrier.aperform(self._on.answers(limit))

    def resume(self, value: Any, *, by: str | None = None) -> Run[Any]:
        """Answer: a bare value for the only question, or ``{interrupt id: value}``.

        ``by`` says who answers, in at most 255 characters; it is kept with the answer and its run.
        Returns the run's handle at once. Raises NothingToResume, NoSuchInterrupt, AmbiguousResume,
        ThreadBusy, and TypeError for a Command.
        """
        return self._run(self._carrier.perform(self._on.resume(value, by)))

    async def aresume(self, value: Any, *, by: str | None = None) -> Run[Any]:
        """Do what ``resume`` does."""
        return self._run(await self._carrier.aperform(self._on.resume(value, by)))

    def retry(self, *, by: str | None = None) -> Run[Any]:
        """Run the failed tasks of a thread in error again; return the run's handle at once.

        ``by`` says who wants that, in at most 255 characters.
        """
        return self._run(self._carrier.perform(self._on.retry(by)))

    async def aretry(self, *, by: str | None = None) -> Run[Any]:
        """Do what ``retry`` does."""
        return self._run(await self._carrier.aperform(self._on.retry(by)))

    def _run(self, found: FoundRun) -> Run[Any]:
        return attached(self._carrier, self._registry, self._thread, found)

    def adopt(self, *, restart: bool = False) -> None:
        """Take it over to its graph as this process has it, whose workers go on with it.

        ``restart``: also when it is busy; then what runs at the moment is void and begins again.
        Raises NodesMissing when the graph has not the nodes that the thread runs next, ThreadBusy,
        ThreadConflict, and LookupError when this process has not got the graph.
        """
        self._carrier.perform(self._on.adopt(restart=restart))

    async def aadopt(self, *, restart: bool = False) -> None:
        """Do what ``adopt`` does."""
        await self._carrier.aperform(self._on.adopt(restart=restart))

    def cancel(self, *, kill: bool = False) -> bool:
        """Cancel whatever runs or waits; the state stays at its newest checkpoint.

        ``kill``: end its blocking nodes too, as ``Run.cancel`` does.
        """
        return self._carrier.perform(self._on.cancel(kill=kill))

    async def acancel(self, *, kill: bool = False) -> bool:
        """Do what ``cancel`` does."""
        return await self._carrier.aperform(self._on.cancel(kill=kill))

    def delete(self) -> None:
        """Remove everything that is stored about it."""
        self._carrier.perform(self._on.delete())

    async def adelete(self) -> None:
        """Do what ``delete`` does."""
        await self._carrier.aperform(self._on.delete())
