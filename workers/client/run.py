"""The handle of a run that workers carry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from datetime import datetime
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.keys import Thread
from checkpoint_redis.readings import RunOutcome
from distgraph import _frame
from distgraph._checked import checked
from distgraph.graph.results import conclude, result_of
from distgraph.graph.subgraphs import holds_graph
from distgraph.runners.handle import Run
from distgraph.streaming import View

from ..broker.joining import refuse_to_wait
from ..shared.runconfig import decode_metadata
from ..shared.served import Registry, Served
from ..shared.shown import Shown
from .attaching import FoundRun
from .begun import Begun
from .cancelling import cancel
from .carrier import Carrier
from .chunking import Chunker
from .effects import Effect, Flow
from .following import follow, stream
from .marks import Position, position
from .past import RunInfo, run_info
from .watched import Watched


@checked
class CeleryRun(Run[Any]):
    """A run that workers carry."""

    def __init__(
        self, carrier: Carrier, registry: Registry, place: tuple[Thread, str], begun: Begun,
        shown: Shown,
    ) -> None:  # fmt: skip
        self._carrier, self._registry = carrier, registry
        self._thread, self._graph = place
        self._begun, self._shown = begun, shown

    @property
    def id(self) -> str:
        return self._begun.run

    @property
    def thread_id(self) -> str:
        return self._thread.thread_id

    @property
    def status(self) -> str:
        return self._carrier.perform(self._status())

    async def astatus(self) -> str:
        return await self._carrier.aperform(self._status())

    def _status(self) -> Generator[Effect, Any, str]:
        outcome = yield from self._outcome()
        return outcome.status.value if outcome else "unknown"

    @property
    def kind(self) -> str:
        return self._carrier.perform(self._kind())

    async def akind(self) -> str:
        return await self._carrier.aperform(self._kind())

    def _kind(self) -> Generator[Effect, Any, str]:
        info = yield from self._info()
        return info.kind if info else "unknown"

    @property
    def by(self) -> str:
        return self._carrier.perform(self._by())

    async def aby(self) -> str:
        return await self._carrier.aperform(self._by())

    def _by(self) -> Generator[Effect, Any, str]:
        info = yield from self._info()
        return info.by if info else ""

    @property
    def began(self) -> datetime | None:
        return self._carrier.perform(self._began())

    async def abegan(self) -> datetime | None:
        return await self._carrier.aperform(self._began())

    def _began(self) -> Generator[Effect, Any, datetime | None]:
        info = yield from self._info()
        return info.began if info else None

    @property
    def ended(self) -> datetime | None:
        return self._carrier.perform(self._ended())

    async def aended(self) -> datetime | None:
        return await self._carrier.aperform(self._ended())

    def _ended(self) -> Generator[Effect, Any, datetime | None]:
        info = yield from self._info()
        return info.ended if info else None

    @property
    def metadata(self) -> dict[str, Any]:
        return self._carrier.perform(self._metadata())

    async def ametadata(self) -> dict[str, Any]:
        return await self._carrier.aperform(self._metadata())

    def _metadata(self) -> Generator[Effect, Any, dict[str, Any]]:
        outcome = yield from self._outcome()
        blob = outcome.record.metadata if outcome and outcome.record else b""
        wire = self._registry.common_wire().of(self._graph)
        return decode_metadata(blob, wire.serializer)

    def _info(self) -> Generator[Effect, Any, RunInfo | None]:
        outcome = yield from self._outcome()
        known = outcome and (outcome.record or outcome.line)
        return run_info(self.id, known) if known else None

    def _outcome(self) -> Generator[Effect, Any, RunOutcome | None]:
        outcome: RunOutcome | None = yield commands.outcome(self._thread, self.id)
        return outcome

    def result(self, timeout: float | None = None) -> Any:
        flow, last = self._end(timeout), None
        for event in self._carrier.follow(flow):
            last = event
        graph = self._served().graph
        return result_of(graph, last, graph.outputs)

    async def aresult(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 a run's own
        flow, last = self._end(timeout), None
        async for event in self._carrier.afollow(flow):
            last = event
        graph = self._served().graph
        return result_of(graph, last, graph.outputs)

    def stream(
        self, after: str = "", *, ids: bool = False, subgraphs: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        flow, chunker = self._events(after), self._chunker(after, ids=ids, subgraphs=subgraphs)
        for told in self._carrier.follow(flow):
            yield from chunker.take(told)
            conclude(told)

    async def astream(
        self, after: str = "", *, ids: bool = False, subgraphs: bool = False
    ) -> AsyncIterator[tuple[Any, ...]]:
        flow, chunker = self._events(after), self._chunker(after, ids=ids, subgraphs=subgraphs)
        async for told in self._carrier.afollow(flow):
            for chunk in chunker.take(told):
                yield chunk
            conclude(told)

    def cancel(self, *, kill: bool = False) -> bool:
        return self._carrier.perform(cancel(self._thread, self.id, kill=kill))

    async def acancel(self, *, kill: bool = False) -> bool:
        return await self._carrier.aperform(cancel(self._thread, self.id, kill=kill))

    def _end(self, timeout: float | None) -> Flow:
        self._refuse_to_wait()
        return follow(self._watched(), self._begun, frozenset(), timeout)

    def _events(self, after: str) -> Flow:
        self._refuse_to_wait()
        seen = position(after) if after else None
        return stream(self._watched(), self._begun, self._shown.modes, seen)

    def _refuse_to_wait(self) -> None:
        _refuse_inside_a_node()
        namespace = self._thread.namespace
        refuse_to_wait(self._served(), lambda: self._carrier.ledger.workers(namespace))

    def _watched(self) -> Watched:
        return Watched(self._served(), self._thread, self.id)

    def _served(self) -> Served:
        """Return the run's graph; LookupError when this process has not got it."""
        if (served := self._registry.get(self._graph)) is not None:
            return served
        msg = (
            f"Run {self.id} is of graph '{self._graph}', which is not compiled on this backend: "
            "import it, to see what the run streams and returns."
        )
        raise LookupError(msg)

    def _chunker(self, after: str, *, ids: bool, subgraphs: bool) -> Chunker:
        graph, shown = self._served().graph, self._shown
        if subgraphs and shown.modes and not shown.subgraphs:
            msg = (
                f"Run {self.id} keeps nothing of graphs inside its nodes: it was started without "
                "subgraphs=True."
            )
            raise ValueError(msg)
        thread = self._thread.thread_id
        view = View(graph, shown.modes, graph.shown, set(), shown.about, thread, holds_graph)
        return Chunker(view, Position(after), ids=ids, subgraphs=subgraphs)

    def __repr__(self) -> str:
        return f"<Run {self.id} of thread {self.thread_id!r}>"


def attached(carrier: Carrier, registry: Registry, thread: Thread, found: FoundRun) -> CeleryRun:
    """Return the handle of a run that was found by its id."""
    return CeleryRun(carrier, registry, (thread, found.graph), found.begun, found.shown)


def _refuse_inside_a_node() -> None:
    if _frame.running() is not None:
        msg = (
            "Run.result() and Run.stream() were called inside a node: a worker that waits for "
            "other workers can block all of them. Return from the node and follow the run from "
            "outside, or call graph.invoke(), which runs here."
        )
        raise RuntimeError(msg)
