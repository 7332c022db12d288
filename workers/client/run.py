"""The handle of a run that workers carry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from checkpoint_redis.keys import Thread
from distgraph import _frame
from distgraph.graph.jobs import about
from distgraph.graph.results import conclude, result_of
from distgraph.runners.backend import Job
from distgraph.streaming import View, chunks
from workers.client.begun import Begun
from workers.client.cancelling import cancel
from workers.client.carrier import Carrier
from workers.client.effects import Flow
from workers.client.following import follow
from workers.shared.served import Served

NOBODY: frozenset[str] = frozenset()


class Run:
    """A run under way; any number of handles may look at it, from any process."""

    def __init__(
        self, carrier: Carrier, served: Served, thread: Thread, job: Job, begun: Begun
    ) -> None:
        self._carrier, self._served, self._thread = carrier, served, thread
        self._begun, self._modes, self._about = begun, job.modes, about(job)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._begun.run

    @property
    def thread_id(self) -> str:
        """The id of the thread that it runs on."""
        return self._thread.thread_id

    @property
    def status(self) -> str:
        """pending, success, error, interrupted or cancelled; 'unknown' when it was forgotten."""
        outcome = self._carrier.ledger.outcome(self._thread, self.id)
        return outcome.status.value if outcome else "unknown"

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return what ``invoke`` returns, or raise what it raises.

        Raises RunTimeout after ``timeout`` seconds, RunCancelled, and RuntimeError inside a node:
        a worker that waits for a worker can wait for ever.
        """
        _refuse_inside_a_node()
        last = None
        for event in self._carrier.follow(self._flow(timeout)):
            last = event
        graph = self._served.graph
        return result_of(graph, last, graph.outputs)

    async def aresult(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 a run's own
        """Do what ``result`` does."""
        _refuse_inside_a_node()
        last = None
        async for event in self._carrier.afollow(self._flow(timeout)):
            last = event
        graph = self._served.graph
        return result_of(graph, last, graph.outputs)

    def stream(self) -> Iterator[tuple[str, Any]]:
        """Yield (mode, chunk) of the modes that were named at submit, from the run's beginning."""
        _refuse_inside_a_node()
        view = self._view()
        for event in self._carrier.follow(self._flow(None, self._modes)):
            yield from chunks(view, event)
            conclude(event)

    async def astream(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield what ``stream`` yields."""
        _refuse_inside_a_node()
        view = self._view()
        async for event in self._carrier.afollow(self._flow(None, self._modes)):
            for chunk in chunks(view, event):
                yield chunk
            conclude(event)

    def cancel(self) -> bool:
        """Cancel the run; False when it had ended already."""
        return cancel(self._carrier.ledger, self._thread, self.id)

    def _flow(self, timeout: float | None, modes: frozenset[str] = NOBODY) -> Flow:
        return follow(self._served, self._thread, self._begun, modes, timeout)

    def _view(self) -> View:
        graph = self._served.graph
        return View(graph, self._modes, tuple(graph.channels), set(), self._about)

    def __repr__(self) -> str:
        return f"<Run {self.id} of thread {self.thread_id!r}>"


def _refuse_inside_a_node() -> None:
    if _frame.running() is not None:
        msg = (
            "Run.result() and Run.stream() were called inside a node: a worker that waits for "
            "other workers can block all of them. Return from the node and follow the run from "
            "outside, or call graph.invoke(), which runs here."
        )
        raise RuntimeError(msg)
