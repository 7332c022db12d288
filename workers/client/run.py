"""The handle of a run that workers carry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from distgraph import _frame
from distgraph.graph.jobs import about
from distgraph.graph.nested import Inner
from distgraph.graph.results import conclude, result_of
from distgraph.streaming import View, chunks

if TYPE_CHECKING:
    from distgraph.graph.compiled import CompiledStateGraph
    from distgraph.runners.backend import Job
    from workers.backend import CeleryBackend
    from workers.client.flows import Flow
    from workers.client.starting import Begun

_OUTSIDE = Inner(None, None)


class Run:
    """A run under way; any number of handles may look at it, from any process."""

    def __init__(
        self,
        backend: CeleryBackend,
        compiled: CompiledStateGraph,
        job: Job,
        begun: Begun,
    ) -> None:
        self._backend, self._compiled, self._begun = backend, compiled, begun
        self._modes, self._about = job.modes, about(job)
        self.thread_id = job.place.thread_id

    @property
    def id(self) -> str:
        """The run's id."""
        return self._begun.run

    @property
    def status(self) -> str:
        """pending, success, error, interrupted or cancelled."""
        return self._backend.run_status(self.thread_id, self.id)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return what ``invoke`` returns, or raise what it raises.

        Raises RunTimeout after ``timeout`` seconds, RunCancelled, and RuntimeError inside a node:
        a worker that waits for a worker can wait for ever.
        """
        _refuse_inside_a_node()
        last = None
        for event in self._backend.follow(self._flow(timeout)):
            last = event
        return result_of(self._compiled.graph, last, _OUTSIDE, self._compiled.graph.outputs)

    async def aresult(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109 a run's own
        """Do what ``result`` does."""
        _refuse_inside_a_node()
        last = None
        async for event in self._backend.afollow(self._flow(timeout)):
            last = event
        return result_of(self._compiled.graph, last, _OUTSIDE, self._compiled.graph.outputs)

    def stream(self) -> Iterator[tuple[str, Any]]:
        """Yield (mode, chunk) of the modes that were named at submit, from the run's beginning."""
        _refuse_inside_a_node()
        view = self._view()
        for event in self._backend.follow(self._flow(None, self._modes)):
            yield from chunks(view, event)
            conclude(self._compiled.graph, event, _OUTSIDE)

    async def astream(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield what ``stream`` yields."""
        _refuse_inside_a_node()
        view = self._view()
        async for event in self._backend.afollow(self._flow(None, self._modes)):
            for chunk in chunks(view, event):
                yield chunk
            conclude(self._compiled.graph, event, _OUTSIDE)

    def cancel(self) -> bool:
        """Cancel the run; False when it had ended already."""
        return self._backend.cancel(self.thread_id, self.id)

    def _flow(self, timeout: float | None, modes: frozenset[str] = frozenset()) -> Flow:
        graph = self._compiled.graph
        return self._backend.following(graph, self.thread_id, self._begun, timeout, modes)

    def _view(self) -> View:
        graph = self._compiled.graph
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
