"""How a thread stands: what of its superstep is done, and what failed in it.

With the graph at hand it is what ``get_state`` says; without it, what finished tasks wrote is not
in the values yet, because the reducers are the graph's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from checkpoint_redis.layout import RunStatus
from checkpoint_redis.readings import Header
from distgraph.core.graph import Graph
from distgraph.core.model import Completed, Errored, Interrupted, Result, Task, ThreadState
from distgraph.core.plan import plan, tasks_of
from distgraph.core.snapshot import current_values
from distgraph.errors import InvalidUpdateError

from ..backend import CeleryBackend
from .screen import plain

SHOWN, BRIEF = 3, 500
"""So many failures are shown with their tracebacks, and characters of what each says."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed for good; ``node`` is '' where it is a superstep that could not be applied."""

    node: str
    error: Errored

    @property
    def data(self) -> dict[str, str]:
        """What programs are told."""
        error = self.error
        said = {"kind": error.kind, "message": error.message, "traceback": error.traceback}
        return {"node": self.node, **said}

    @property
    def line(self) -> str:
        """What happened, in one line."""
        said = " ".join(self.error.message.split())
        cut = said if len(said) <= BRIEF else f"{said[:BRIEF]}..."
        where = f"node '{self.node}'" if self.node else "the superstep"
        return f"{where} failed: {self.error.kind.removeprefix('builtins.')}: {cut}"


@dataclass(frozen=True, slots=True)
class Stand:
    """A thread's state, with the graph that it belongs to if that is known as it is."""

    state: ThreadState
    graph: Graph | None

    @property
    def _tasks(self) -> tuple[Task, ...]:
        return tasks_of(self.graph, self.state) if self.graph else plan(self.state.checkpoint)

    @property
    def _results(self) -> Iterator[tuple[Task, Result | None]]:
        return ((task, self.state.results.get(task.id)) for task in self._tasks)

    @property
    def values(self) -> Mapping[str, Any]:
        """The state's channels; writes of finished tasks count where the graph is known."""
        if self.graph is not None:
            with suppress(InvalidUpdateError):  # they do not go together: the run says so
                return current_values(self.graph, self.state)
        return self.state.checkpoint.values

    @property
    def next(self) -> list[str]:
        """The nodes of the tasks that are not done."""
        return [task.node for task, result in self._results if not isinstance(result, Completed)]

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks of the superstep are done, failed, ask, or are still to be done."""
        return dict(Counter(_how(result) for _, result in self._results))

    @property
    def failures(self) -> list[Failure]:
        """What failed of its tasks, in their order."""
        return [Failure(t.node, found) for t, found in self._results if isinstance(found, Errored)]


def _how(result: Result | None) -> str:
    match result:
        case Completed():
            return "done"
        case Errored():
            return "failed"
        case Interrupted():
            return "asking"
        case _:
            return "to do"


def stands(backend: CeleryBackend, header: Header, state: ThreadState) -> Stand:
    """Return how a thread stands."""
    served = backend.registry.get(header.graph)
    known = served is not None and served.graph.fingerprint == header.fp
    return Stand(state, served.graph if served is not None and known else None)


def failures_of(backend: CeleryBackend, header: Header, standing: Stand) -> list[Failure]:
    """Return what failed: tasks, or else what ended the last run where it failed."""
    if found := standing.failures:
        return found
    outcome = backend.ledger.outcome(backend.thread_key(header.thread_id), header.run)
    if outcome is None or outcome.status != RunStatus.error or not outcome.error:
        return []
    wire = backend.registry.common_wire().of(header.graph)
    return [Failure("", wire.read_error(outcome.error))]


def counted(counts: Mapping[str, int]) -> str:
    """Say how many tasks stand how."""
    order = ("done", "failed", "asking", "to do")
    return ", ".join(f"{counts[how]:,} {how}" for how in order if how in counts) or "-"


def told(failures: Sequence[Failure]) -> Iterable[RenderableType]:
    """Yield what people read of failures: each that differs from the others, with its traceback."""
    differing: dict[str, list[Failure]] = {}
    for failure in failures:
        differing.setdefault(failure.line, []).append(failure)
    for line, same in list(differing.items())[:SHOWN]:
        times = f" ({len(same):,} times)" if len(same) > 1 else ""
        yield Text.assemble((plain(f"{line}{times}").plain, "bold"))
        yield Text("\n").join(plain(each) for each in same[0].error.traceback.splitlines())
    if len(differing) > SHOWN:
        yield Text(f"and {len(differing) - SHOWN:,} others: see --json")
