"""Reading and changing the state of threads: the part of a compiled graph that runs no nodes.

Every ``a...`` method does what its namesake does, on the caller's event loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.core.snapshot import snapshot
from distgraph.events import Concluded, Event
from distgraph.graph import configs
from distgraph.graph.arguments import shortly
from distgraph.graph.jobs import Owner, stored_place, update_job
from distgraph.graph.subgraphs import inner_state
from distgraph.runners.backend import Backend, Job, Listing, Place
from distgraph.types import StateSnapshot, StateUpdate

Config = Mapping[str, Any] | None


class StateAccess(ABC):
    """The state of a graph's threads."""

    graph: Graph
    backend: Backend
    config: Mapping[str, Any]

    @property
    @abstractmethod
    def owner(self) -> Owner:
        """What jobs of this graph are made from."""

    def get_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot:
        """Return the state of a thread, at its newest checkpoint or at the one ``config`` names.

        With ``subgraphs``, a waiting task's ``state`` is the snapshot of the graph inside it.
        Raises ValueError without a checkpointer or a thread_id.
        """
        place = self._stored(config)
        state = self.backend.load(self.graph, replace(place, ns=""))
        return self._shown(state, place, subgraphs=subgraphs)

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot:
        """Return what ``get_state`` returns."""
        place = self._stored(config)
        state = await self.backend.aload(self.graph, replace(place, ns=""))
        return self._shown(state, place, subgraphs=subgraphs)

    def get_state_history(
        self,
        config: Config,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        before: Config = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the snapshots of a thread, newest first.

        ``filter`` compares metadata entries; ``before`` is a config with a checkpoint_id.
        """
        place = self._stored(config)
        for state in self.backend.history(self.graph, place, _listing(filter, before, limit)):
            yield _snapshot(self.graph, state, place, head=False)

    async def aget_state_history(
        self,
        config: Config,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        before: Config = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Yield what ``get_state_history`` yields."""
        place = self._stored(config)
        listing = _listing(filter, before, limit)
        async for state in self.backend.ahistory(self.graph, place, listing):
            yield _snapshot(self.graph, state, place, head=False)

    def update_state(
        self, config: Config, values: Any, as_node: str | None = None, task_id: str | None = None
    ) -> dict[str, Any]:
        """Write ``values`` as if ``as_node`` had returned them; return the new checkpoint's config.

        Raises InvalidUpdateError for an unknown node, or when ``as_node`` is left out and unclear.
        """
        return self.bulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    async def aupdate_state(
        self, config: Config, values: Any, as_node: str | None = None, task_id: str | None = None
    ) -> dict[str, Any]:
        """Do what ``update_state`` does."""
        return await self.abulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    def bulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> dict[str, Any]:
        """Write supersteps of updates, one checkpoint each; return the last one's config."""
        job = update_job(self.owner, self._merged(config), supersteps)
        *_, last = self.backend.events(job)
        return _config_of(last, job)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> dict[str, Any]:
        """Do what ``bulk_update_state`` does."""
        job = update_job(self.owner, self._merged(config), supersteps)
        *_, last = [event async for event in self.backend.aevents(job)]
        return _config_of(last, job)

    def _merged(self, config: Config) -> dict[str, Any]:
        return configs.merge_configs(self.config, config)

    def _stored(self, config: Config) -> Place:
        return stored_place(self.backend, self._merged(config))

    def _shown(self, state: ThreadState | None, place: Place, *, subgraphs: bool) -> StateSnapshot:
        if place.ns:
            graph, inner = inner_state(self.graph, state, place.ns)
            return _deep_snapshot(graph, inner, place, subgraphs=subgraphs, head=True)
        if state is None:
            config = {"configurable": {"thread_id": place.thread_id, "checkpoint_ns": ""}}
            return StateSnapshot({}, (), config, None, None, None, (), ())
        head = not place.checkpoint_id
        return _deep_snapshot(self.graph, state, place, subgraphs=subgraphs, head=head)


def _deep_snapshot(
    graph: Graph, state: ThreadState, place: Place, *, subgraphs: bool, head: bool
) -> StateSnapshot:
    """Return a snapshot; with ``subgraphs``, those of the graphs that wait inside its tasks too."""
    shown = _snapshot(graph, state, place, head=head)
    if not subgraphs:
        return shown
    tasks = tuple(
        task._replace(state=_inside(graph, state, place, task.state))
        if isinstance(task.state, dict)
        else task
        for task in shown.tasks
    )
    return shown._replace(tasks=tasks)


def _snapshot(graph: Graph, state: ThreadState, place: Place, *, head: bool) -> StateSnapshot:
    return snapshot(graph, state, {"thread_id": place.thread_id}, ns=place.ns, head=head)


def _inside(
    graph: Graph, state: ThreadState, place: Place, config: Mapping[str, Any]
) -> StateSnapshot:
    ns = config["configurable"]["checkpoint_ns"]
    below, inner = inner_state(graph, state, ns)
    return _deep_snapshot(below, inner, replace(place, ns=ns), subgraphs=True, head=True)


def _listing(filter_: Mapping[str, Any] | None, before: Config, limit: int | None) -> Listing:
    older = configs.older_than(before)
    if not isinstance(filter_, Mapping | None):
        msg = f"filter must be a dict of metadata entries, not {shortly(filter_)}."
        raise TypeError(msg)
    if not isinstance(limit, int | None):
        msg = f"limit must be a whole number or None, not {shortly(limit)}."
        raise TypeError(msg)
    return Listing(before=older, limit=limit, filter=dict(filter_ or {}))


def _config_of(last: Event, job: Job) -> dict[str, Any]:
    if not isinstance(last, Concluded) or last.state is None:
        msg = "The update left no checkpoint."
        raise RuntimeError(msg)
    place = {"thread_id": job.place.thread_id, "checkpoint_ns": job.place.ns}
    return {"configurable": {**place, "checkpoint_id": last.state.checkpoint.id}}
