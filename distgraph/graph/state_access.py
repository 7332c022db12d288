"""Reading and changing the state of threads: the part of a compiled graph that runs no nodes.

Every ``a...`` method does what its namesake does, on the caller's event loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Generic

from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.core.snapshot import config_at
from distgraph.effects import acarry, carry
from distgraph.events import Concluded, Event
from distgraph.graph import configs
from distgraph.graph.jobs import Owner, stored_place, update_job
from distgraph.graph.showing import frame_at, show, shown_at
from distgraph.graph.subgraphs import as_called, subgraphs_of
from distgraph.runners.backend import Backend, Job, Listing, Place
from distgraph.types import StateSnapshot, StateUpdate
from distgraph.typing import StateT

Config = Mapping[str, Any] | None


@checked
class StateAccess(ABC, Generic[StateT]):
    """The state of a graph's threads."""

    graph: Graph
    backend: Backend
    config: Mapping[str, Any]

    @property
    @abstractmethod
    def owner(self) -> Owner:
        """What jobs of this graph are made from."""

    def get_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot[StateT]:
        """Return the state of a thread, at its newest checkpoint or at the one ``config`` names.

        With ``subgraphs``, the ``state`` of a task is the snapshot of the graph that it calls, else
        the config of that. Raises ValueError without a checkpointer or a thread_id, and for the
        ``checkpoint_ns`` of a graph that is not there.
        """
        shown = show(self.graph, self._stored(config), subgraphs=subgraphs)
        return carry(shown, self._load)

    async def aget_state(self, config: Config, *, subgraphs: bool = False) -> StateSnapshot[StateT]:
        """Return what ``get_state`` returns."""
        shown = show(self.graph, self._stored(config), subgraphs=subgraphs)
        return await acarry(shown, self._aload)

    def get_state_history(
        self,
        config: Config,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        before: Config = None,
        limit: HowMany | None = None,
    ) -> Iterator[StateSnapshot[StateT]]:
        """Yield the snapshots of a thread, newest first.

        ``filter`` compares metadata entries; ``before`` is a config with a checkpoint_id; at
        most ``limit`` are yielded. Raises ValueError for a limit below 0.
        """
        place, listing = self._stored(config), _listing(filter, before, limit)
        found = carry(frame_at(self.graph, place), self._load)
        if found is None:
            return
        for state in self.backend.history(self._reading(place), found.place, listing):
            yield shown_at(found, state, head=False)

    async def aget_state_history(
        self,
        config: Config,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 LangGraph's name
        before: Config = None,
        limit: HowMany | None = None,
    ) -> AsyncIterator[StateSnapshot[StateT]]:
        """Yield what ``get_state_history`` yields."""
        place, listing = self._stored(config), _listing(filter, before, limit)
        found = await acarry(frame_at(self.graph, place), self._aload)
        if found is None:
            return
        async for state in self.backend.ahistory(self._reading(place), found.place, listing):
            yield shown_at(found, state, head=False)

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
        merged = self._merged(config)
        found = frame_at(self.graph, stored_place(self.owner, merged))
        where = carry(found, self._load)
        job = update_job(where, merged, supersteps)
        *_, last = self.backend.events(job)
        return _config_of(last, job)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> dict[str, Any]:
        """Do what ``bulk_update_state`` does."""
        merged = self._merged(config)
        found = frame_at(self.graph, stored_place(self.owner, merged))
        where = await acarry(found, self._aload)
        job = update_job(where, merged, supersteps)
        *_, last = [event async for event in self.backend.aevents(job)]
        return _config_of(last, job)

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, Any]]:
        """Yield the graphs that nodes are, or that their functions refer to, by the nodes' names.

        Of several in a node the first. With ``recurse`` those inside them too, as "outer|inner";
        ``namespace`` names the only one that is wanted.
        """
        return subgraphs_of(self.graph, namespace, recurse=recurse)

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, Any]]:
        """Yield what ``get_subgraphs`` yields."""
        for found in subgraphs_of(self.graph, namespace, recurse=recurse):
            yield found

    def _reading(self, place: Place) -> Graph:
        """Return the graph by whose schemas a frame is read."""
        return as_called(self.graph) if place.ns else self.graph

    def _load(self, place: Place) -> ThreadState | None:
        return self.backend.load(self._reading(place), place)

    async def _aload(self, place: Place) -> ThreadState | None:
        return await self.backend.aload(self._reading(place), place)

    def _merged(self, config: Config) -> dict[str, Any]:
        return configs.merge_configs(self.config, config)

    def _stored(self, config: Config) -> Place:
        return stored_place(self.owner, self._merged(config))


def _listing(filter_: Mapping[str, Any] | None, before: Config, limit: int | None) -> Listing:
    older = configs.older_than(before)
    return Listing(before=older, limit=limit, filter=dict(filter_ or {}))


def _config_of(last: Event, job: Job) -> dict[str, Any]:
    if not isinstance(last, Concluded) or last.state is None:
        msg = "The update left no checkpoint."
        raise RuntimeError(msg)
    checkpoint, thread = last.state.checkpoint, {"thread_id": job.place.thread_id}
    return config_at(thread, job.place.ns, checkpoint.id, checkpoint.parents)
