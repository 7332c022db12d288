"""The runner of this process: a blocking and an asyncio driver of the same programs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from functools import partial
from typing import Any

from distgraph._checked import unchecked
from distgraph.checkpoint import codec
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base.config import MISSING_KEYS
from distgraph.core.graph import Graph
from distgraph.core.model import (
    Failed,
    Finished,
    Left,
    Outcome,
    Paused,
    ThreadState,
)
from distgraph.effects import acarry, carry
from distgraph.engine import (
    Execute,
    GoOn,
    Load,
    NewStamp,
    RunHere,
    Save,
    SaveUpdate,
)
from distgraph.events import Concluded, Event
from distgraph.runners import pool
from distgraph.runners.attempts import now, stopping
from distgraph.runners.backend import Job, Listing, Place
from distgraph.runners.frames import SaverFrames
from distgraph.runners.here import run_here, run_here_async
from distgraph.runners.stores import (
    Asking,
    Begin,
    Keeping,
    NewestBefore,
    NoStore,
    SaverCall,
    SaverStore,
    Store,
    WaitFor,
    config_at,
    new_stamp,
)
from distgraph.runners.told import told_of_going_on, told_of_save

Storing = Load | Save | GoOn | SaveUpdate
Answering = Generator[Asking, Any, tuple[Any, tuple[Event, ...]]]


class LocalBackend:
    """Carries programs in this process, on a checkpointer or on none."""

    def __init__(self, saver: BaseCheckpointSaver | None) -> None:
        self.saver = saver

    @property
    def durable(self) -> bool:
        """Whether there is a checkpointer."""
        return self.saver is not None

    def thread_for(self, graph: Graph, *, fresh: bool) -> str:
        """Return the id of a throwaway thread; ValueError when there is a checkpointer."""
        del graph, fresh
        if self.durable:
            msg = f"{MISSING_KEYS}. Pass config={{'configurable': {{'thread_id': '...'}}}}."
            raise ValueError(msg)
        return str(uuid.uuid4())

    def now(self) -> int:
        """Return the time: nobody but the next run looks at the deadlines of what is stored."""
        return now()

    def store(self, place: Place) -> Store:
        """Return where a frame of this backend is kept."""
        return SaverStore(place) if self.saver is not None else NoStore()

    def events(self, job: Job) -> Generator[Event, None, None]:
        """Carry ``job`` in the calling thread, its parallel tasks in a thread pool."""
        return drive(job, self._keeping(job))

    def aevents(self, job: Job) -> AsyncGenerator[Event, None]:
        """Carry ``job`` on the running event loop."""
        return drive_async(job, self._keeping(job))

    def _keeping(self, job: Job) -> Keeping:
        if self.saver is None:
            return Keeping()
        saver = self._reader(job.graph, job.place)
        store = stored_behind(job, self.store(job.place))
        return Keeping(store, saver, SaverFrames(self.saver))

    def _reader(self, graph: Graph, place: Place) -> Any:
        """Return the checkpointer, which knows the classes of a frame inside others only then."""
        if self.saver is None or not place.ns:
            return self.saver
        return SaverFrames(self.saver).for_graph(graph)

    def load(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what the checkpointer has at ``place``."""
        return carry(self.store(place).load(), performing(self._reader(graph, place)))

    async def aload(self, graph: Graph, place: Place) -> ThreadState | None:
        """Return what ``load`` returns."""
        return await acarry(self.store(place).load(), aperforming(self._reader(graph, place)))

    def history(self, graph: Graph, place: Place, listing: Listing) -> Iterator[ThreadState]:
        """Return what the checkpointer lists, newest first."""
        config = config_at(place, place.checkpoint_id)
        if self.saver is not None:
            for found in self._reader(graph, place).list(config, **_options(place, listing)):
                yield codec.decode(found)

    async def ahistory(
        self, graph: Graph, place: Place, listing: Listing
    ) -> AsyncIterator[ThreadState]:
        """Return what ``history`` returns."""
        config = config_at(place, place.checkpoint_id)
        if self.saver is not None:
            async for found in self._reader(graph, place).alist(config, **_options(place, listing)):
                yield codec.decode(found)


def _options(place: Place, listing: Listing) -> dict[str, Any]:
    before = {"configurable": {"thread_id": place.thread_id, "checkpoint_id": listing.before}}
    return {
        "filter": dict(listing.filter) or None,
        "before": before if listing.before else None,
        "limit": listing.limit,
    }


def stored_when(
    job: Job, store: Store, *, temporary: bool = False, dispatched: bool = False
) -> Store:
    """Return ``store`` as the durability of ``job`` has it: each step is stored, or the last alone.

    ``temporary``: it is that of a graph inside a task, which nobody goes on with once it finished.
    ``dispatched``: others run the tasks of that.
    """
    if job.graph.untracked:
        from distgraph.runners.untracked import Untracking  # noqa: PLC0415 few graphs have such

        store = Untracking(store, job.graph)
    if job.invocation.durability != "exit":
        return store
    from distgraph.runners.at_exit import AtExit  # noqa: PLC0415 only where a run asks for it

    return AtExit(store, temporary=temporary, dispatched=dispatched)


def stored_behind(job: Job, store: Store) -> Store:
    """Return ``store`` as the job of a root has it: also behind its tasks, where it asks for that.

    Graphs inside tasks are stored step by step then.
    """
    if job.invocation.durability != "async":
        return stored_when(job, store)
    from distgraph.runners.behind import Behind  # noqa: PLC0415 as above

    return Behind(stored_when(job, store))


def performing(saver: Any) -> Callable[[Asking], Any]:
    """Return what answers the calls of a store."""
    return partial(_perform, saver)


def aperforming(saver: Any) -> Callable[[Asking], Awaitable[Any]]:
    """Return what answers the calls of a store, on an event loop."""
    return partial(_aperform, saver)


def _perform(saver: Any, call: Asking) -> Any:
    match call:
        case SaverCall(name, args):
            return unchecked(saver, name)(*args)
        case NewestBefore(config, before):
            return next(iter(saver.list(config, before=before, limit=1)), None)
        case Begin(saving):
            from distgraph.runners import behind  # noqa: PLC0415 few runs store behind themselves

            return behind.begin(saving, performing(saver))
        case WaitFor(begun):
            return begun.exception()


async def _aperform(saver: Any, call: Asking) -> Any:
    match call:
        case SaverCall(name, args):
            return await unchecked(saver, "a" + name)(*args)
        case NewestBefore(config, before):
            found = [each async for each in saver.alist(config, before=before, limit=1)]
            return found[0] if found else None
        case Begin(saving):
            from distgraph.runners import behind_loop  # noqa: PLC0415 as above

            return behind_loop.begin(saving, aperforming(saver))
        case WaitFor(begun):
            from distgraph.runners import behind_loop  # noqa: PLC0415 as above

            return await behind_loop.joined(begun)


def drive(job: Job, keeping: Keeping) -> Generator[Event, None, None]:
    """Answer the requests of ``job``'s program until it ends; blocking."""
    state: ThreadState | None = None
    answer: Any = None
    outcome: Outcome | None = None
    perform = performing(keeping.saver)
    try:
        with pool.Threads(job, perform, keeping) as threads:
            while outcome is None:
                match request := _next(job, answer):
                    case Finished() | Paused() | Failed() | Left():
                        outcome = request
                    case Execute() if stopped := stopping(job, request):
                        outcome = stopped
                    case Execute():
                        if (leaving := keeping.store.leave(job, request)) is not None:
                            carry(leaving, perform)
                        answer = state = yield from threads.execute(request)
                    case RunHere():
                        answer = run_here(job, request)
                    case _:
                        answer, told = carry(_answer(job, keeping.store, request, state), perform)
                        state = _state_after(request, answer)
                        yield from told
    finally:
        carry(keeping.store.end(outcome), perform)
    yield Concluded(job.place.ns, state, outcome)


async def drive_async(job: Job, keeping: Keeping) -> AsyncGenerator[Event, None]:
    """Answer the requests of ``job``'s program until it ends; on the running event loop."""
    state: ThreadState | None = None
    answer: Any = None
    outcome: Outcome | None = None
    perform = aperforming(keeping.saver)
    from distgraph.runners.tasks import Tasks  # noqa: PLC0415 only where there is a loop

    try:
        async with Tasks(job, perform, keeping) as running:
            while outcome is None:
                match request := _next(job, answer):
                    case Finished() | Paused() | Failed() | Left():
                        outcome = request
                    case Execute() if stopped := stopping(job, request):
                        outcome = stopped
                    case Execute():
                        if (leaving := keeping.store.leave(job, request)) is not None:
                            await acarry(leaving, perform)
                        async for event in running.execute(request):
                            yield event
                        answer = state = running.state
                    case RunHere():
                        answer = await run_here_async(job, request)
                    case _:
                        answer, told = await acarry(
                            _answer(job, keeping.store, request, state), perform
                        )
                        state = _state_after(request, answer)
                        for event in told:
                            yield event
    finally:
        await acarry(keeping.store.end(outcome), perform)
    yield Concluded(job.place.ns, state, outcome)


def _next(job: Job, answer: Any) -> Storing | Execute | RunHere | Outcome:
    """Return what the program asks for next but for stamps, which it is given, or how it ended."""
    try:
        while isinstance(request := job.program.send(answer), NewStamp):
            answer = new_stamp(request.parent, *request.around.values())
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    return request


def _state_after(request: Storing, answer: Any) -> ThreadState | None:
    match request:
        case Load():
            loaded: ThreadState | None = answer
            return loaded
        case _:
            return request.state


def _answer(job: Job, store: Store, request: Storing, before: ThreadState | None) -> Answering:
    """Answer a storing request: the answer itself, and what there is to tell about it."""
    match request:
        case Load():
            return (yield from store.load()), ()
        case Save():
            told = yield from store.save(request)
            return None, told_of_save(job.place.ns, told or request)
        case GoOn():
            yield from store.go_on(request)
            return None, told_of_going_on(job.graph, job.place.ns, request, before)
        case SaveUpdate():
            yield from store.update(request)
            return request.state, ()
