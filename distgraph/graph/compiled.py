"""CompiledStateGraph: a graph that runs, in this process or on a backend.

Every ``a...`` method does what its namesake does, on the caller's event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.core.frame import Invocation, TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import ThreadState
from distgraph.core.snapshot import snapshot
from distgraph.engine import Start, limits_of, run, run_nested
from distgraph.events import Concluded, Event
from distgraph.graph import calls
from distgraph.graph.nested import Inner
from distgraph.graph.results import conclude, result_of
from distgraph.graph.subgraphs import inner_state
from distgraph.runners.backend import Backend, Job, Listing, Place
from distgraph.runners.local import LocalBackend
from distgraph.streaming import View, chunks
from distgraph.types import All, StateSnapshot, StateUpdate, StreamMode
from distgraph.updating import update

_DURABILITIES = (None, "sync", "async")
_MODES = ("values", "updates", "tasks", "custom", "messages")
Config = Mapping[str, Any] | None
Stops = All | Sequence[str] | None
Modes = StreamMode | Sequence[StreamMode] | None


class CompiledStateGraph:
    """A graph that can be run. Made by ``StateGraph.compile``."""

    def __init__(
        self,
        graph: Graph,
        builder: Any,
        checkpointer: Any,
        *,
        backend: Backend | None = None,
        config: Config = None,
    ) -> None:
        self.graph = graph
        self.builder = builder
        self.checkpointer = checkpointer
        self.stream_mode: StreamMode = "updates"
        self.config = calls.merge_configs(config)
        self.backend: Backend = backend or LocalBackend(_saver(checkpointer))

    @property
    def name(self) -> str:
        """The name that the graph was compiled under."""
        return self.graph.name

    @property
    def nodes(self) -> Mapping[str, Any]:
        """The nodes by name."""
        return self.graph.nodes

    @property
    def channels(self) -> Mapping[str, Any]:
        """The channels by state key."""
        return self.graph.channels

    def get_name(self) -> str:
        """Return the graph's name."""
        return self.graph.name

    def with_config(self, config: Config = None, **more: Any) -> CompiledStateGraph:
        """Return the same graph with ``config`` under every config that it is called with."""
        merged = calls.merge_configs(self.config, config, more)
        return CompiledStateGraph(
            self.graph, self.builder, self.checkpointer, backend=self.backend, config=merged
        )

    def on(self, backend: Any, name: str | None = None) -> CompiledStateGraph:
        """Return the same graph on ``backend``, registered there under ``name``.

        Its own checkpointer is replaced: the backend stores its threads.
        """
        named = replace(self.graph, name=name) if name else self.graph
        return CompiledStateGraph(named, self.builder, None, config=self.config).placed(
            backend, name or self.graph.name
        )

    def placed(self, backend: Any, name: str | None) -> CompiledStateGraph:
        """Return this graph as ``compile(backend=...)`` gives it; ValueError for what clashes."""
        if backend is None:
            return self
        if self.checkpointer is not None:
            msg = (
                f"Graph '{self.name}' was given the checkpointer {self.checkpointer!r} and the "
                f"backend {backend!r}: a backend stores its threads itself, leave one out."
            )
            raise ValueError(msg)
        if not name:
            msg = "A graph on a backend needs a name, so that workers find it: compile(name=...)."
            raise ValueError(msg)
        placed = CompiledStateGraph(self.graph, self.builder, None, backend=backend, config=self.config)
        backend.register(placed)
        return placed

    # --- running -------------------------------------------------------------------------

    def invoke(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        context: Any = None,
        stream_mode: Modes = "values",
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Stops = None,
        interrupt_after: Stops = None,
        durability: str | None = None,
    ) -> Any:
        """Run the graph to its end or to a pause and return the state.

        A pause adds ``__interrupt__``, a list of Interrupt. Another ``stream_mode`` than "values"
        returns the list of its chunks. Raises what a node raised, ValueError for a bad config,
        EmptyInputError, ResumeError, GraphRecursionError, InvalidUpdateError.
        """
        options = (context, interrupt_before, interrupt_after, durability)
        if stream_mode != "values":
            return list(
                self.stream(
                    input,
                    config,
                    context=context,
                    stream_mode=stream_mode,
                    output_keys=output_keys,
                    interrupt_before=interrupt_before,
                    interrupt_after=interrupt_after,
                    durability=durability,
                )
            )
        inner, job = self._job(input, config, options, ())
        last = None
        for event in inner.events(self.backend, job):
            last = event
        return result_of(self.graph, last, inner, self._keys(output_keys))

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        context: Any = None,
        stream_mode: Modes = "values",
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Stops = None,
        interrupt_after: Stops = None,
        durability: str | None = None,
    ) -> Any:
        """Do what ``invoke`` does."""
        options = (context, interrupt_before, interrupt_after, durability)
        if stream_mode != "values":
            chunks_ = self.astream(
                input,
                config,
                context=context,
                stream_mode=stream_mode,
                output_keys=output_keys,
                interrupt_before=interrupt_before,
                interrupt_after=interrupt_after,
                durability=durability,
            )
            return [chunk async for chunk in chunks_]
        inner, job = self._job(input, config, options, ())
        last = None
        async for event in inner.aevents(self.backend, job):
            last = event
        return result_of(self.graph, last, inner, self._keys(output_keys))

    def stream(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        context: Any = None,
        stream_mode: Modes = None,
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Stops = None,
        interrupt_after: Stops = None,
        durability: str | None = None,
        subgraphs: bool = False,
    ) -> Iterator[Any]:
        """Run the graph and yield chunks as they come: values, updates, tasks, custom, messages.

        One mode yields its payloads, a list of modes (mode, payload) pairs; ``subgraphs`` puts the
        namespace of the graph that a chunk comes from before it. Raises what ``invoke`` raises.
        """
        modes = self._modes(stream_mode)
        options = (context, interrupt_before, interrupt_after, durability)
        inner, job = self._job(input, config, options, modes)
        view = View(self.graph, modes, self._keys(output_keys), set())
        shape = _Shape(isinstance(stream_mode or "", str), subgraphs, job.place.ns)
        for event in inner.events(self.backend, job):
            yield from shape.chunks(view, event)
            conclude(self.graph, event, inner)

    async def astream(
        self,
        input: Any,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        context: Any = None,
        stream_mode: Modes = None,
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: Stops = None,
        interrupt_after: Stops = None,
        durability: str | None = None,
        subgraphs: bool = False,
    ) -> AsyncIterator[Any]:
        """Do what ``stream`` does."""
        modes = self._modes(stream_mode)
        options = (context, interrupt_before, interrupt_after, durability)
        inner, job = self._job(input, config, options, modes)
        view = View(self.graph, modes, self._keys(output_keys), set())
        shape = _Shape(isinstance(stream_mode or "", str), subgraphs, job.place.ns)
        async for event in inner.aevents(self.backend, job):
            for chunk in shape.chunks(view, event):
                yield chunk
            conclude(self.graph, event, inner)

    # --- state ---------------------------------------------------------------------------

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
            yield self._snapshot(state, place, head=False)

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
            yield self._snapshot(state, place, head=False)

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
        """Write several supersteps of updates, one checkpoint each; return the last one's config."""
        job = self._update_job(config, supersteps)
        *_, last = self.backend.events(job)
        return _config_of(last, job)

    async def abulk_update_state(
        self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> dict[str, Any]:
        """Do what ``bulk_update_state`` does."""
        job = self._update_job(config, supersteps)
        *_, last = [event async for event in self.backend.aevents(job)]
        return _config_of(last, job)

    # --- the distributed calls -------------------------------------------------------------

    def submit(self, input: Any, config: Config = None, **options: Any) -> Any:  # noqa: A002
        """Start a run on the backend and return its handle at once.

        ``options`` are those of ``invoke`` plus ``stream_mode``, the modes that ``run.stream()``
        can show later. Raises RuntimeError on a graph without a backend, and what ``invoke``
        raises before a run starts.
        """
        return self._distributed().submit(*self._submission(input, config, options))

    async def asubmit(self, input: Any, config: Config = None, **options: Any) -> Any:  # noqa: A002
        """Do what ``submit`` does."""
        return await self._distributed().asubmit(*self._submission(input, config, options))

    def _distributed(self) -> Any:
        if not hasattr(self.backend, "submit"):
            msg = (
                f"Graph '{self.name}' has no backend: submit() needs one that runs on its own, "
                "compile(name=..., backend=...). In this process, use invoke() or stream()."
            )
            raise RuntimeError(msg)
        return self.backend

    def _submission(self, given: Any, config: Config, options: dict[str, Any]) -> tuple[Any, Job]:
        modes = self._modes(options.pop("stream_mode", "updates"))
        names = ("context", "interrupt_before", "interrupt_after", "durability")
        chosen = tuple(options.pop(name, None) for name in names)
        if options:
            msg = f"submit() got unexpected options: {', '.join(sorted(options))}."
            raise TypeError(msg)
        _, job = self._job(given, config, chosen, modes)
        return self, job

    # --- how a call becomes a job ------------------------------------------------------------

    def _job(
        self, given: Any, config: Config, options: tuple[Any, ...], modes: Sequence[str]
    ) -> tuple[Inner, Job]:
        context, before, after, durability = options
        if durability not in _DURABILITIES:
            msg = f"durability must be 'sync' or 'async' here, not {durability!r}."
            raise ValueError(msg)
        merged = calls.merge_configs(self.config, config)
        inner = Inner(calls.surrounding(merged), self.checkpointer)
        place = inner.place or calls.place_of(merged, needed=self.backend.durable)
        graph = self.graph
        start = Start(
            given=given,
            recursion_limit=calls.recursion_limit(merged),
            at=place.checkpoint_id,
            before=calls.stops(before, graph.before, graph),
            after=calls.stops(after, graph.after, graph),
            metadata=calls.checkpoint_metadata(merged),
            parents=dict(inner.parents),
        )
        self._check_stops(start, inner)
        program = (run_nested if inner.frame else run)(graph, start, place.ns)
        return inner, Job(
            graph=graph,
            program=program,
            place=place,
            invocation=self._invocation(merged, context, place, inner),
            live=bool({"custom", "messages"} & set(modes)) or inner.live,
            modes=frozenset(modes),
            max_concurrency=merged.get("max_concurrency"),
            start=start,
        )

    def _check_stops(self, start: Start, inner: Inner) -> None:
        durable = inner.durable if inner.frame else self.backend.durable
        if (start.before or start.after) and not durable:
            msg = (
                "interrupt_before and interrupt_after need a checkpointer, or nobody could ever "
                "resume this run: compile the graph with checkpointer=... or backend=..."
            )
            raise RuntimeError(msg)
        if not durable and _is_resume(start.given):
            msg = "Cannot use Command(resume=...) without checkpointer"
            raise RuntimeError(msg)

    def _invocation(
        self, config: dict[str, Any], context: Any, place: Place, inner: Inner
    ) -> Invocation:
        found = calls.context_of(self.builder.context_schema, context)
        if inner.frame is not None:
            return replace(
                inner.frame.invocation,
                config=config,
                context=found or inner.frame.invocation.context,
                durable=inner.durable,
            )
        run_id = config.get("run_id") or config.get("metadata", {}).get("run_id")
        thread = place.thread_id if self.backend.durable else None
        return Invocation(config, found, thread, run_id and str(run_id), self.backend.durable)

    def _update_job(self, config: Config, supersteps: Sequence[Sequence[StateUpdate]]) -> Job:
        merged = calls.merge_configs(self.config, config)
        place = self._stored(config)
        start = Start(None, 1, metadata=calls.checkpoint_metadata(merged))
        program = update(self.graph, supersteps, limits_of(start, None), place.ns)
        invocation = Invocation(merged, None, place.thread_id, None, durable=True)
        return Job(self.graph, program, place, invocation, start=start)

    def _stored(self, config: Config) -> Place:
        if not self.backend.durable:
            msg = "No checkpointer set"
            raise ValueError(msg)
        return calls.place_of(calls.merge_configs(self.config, config), needed=True)

    def _modes(self, given: Modes) -> tuple[str, ...]:
        chosen = given or self.stream_mode
        modes = (chosen,) if isinstance(chosen, str) else tuple(chosen)
        if unknown := [mode for mode in modes if mode not in _MODES]:
            msg = f"Unknown stream_mode {unknown[0]!r}. The modes are: {', '.join(_MODES)}."
            raise ValueError(msg)
        return modes

    def _keys(self, given: str | Sequence[str] | None) -> str | tuple[str, ...]:
        if given is None:
            return self.graph.outputs
        keys = (given,) if isinstance(given, str) else tuple(given)
        if unknown := [key for key in keys if key not in self.graph.channels]:
            msg = f"output_keys names an unknown state key: {unknown[0]!r}."
            raise ValueError(msg)
        return given if isinstance(given, str) else keys

    def _shown(self, state: ThreadState | None, place: Place, *, subgraphs: bool) -> StateSnapshot:
        if place.ns:
            graph, inner = inner_state(self.graph, state, place.ns)
            return _snapshot(graph, inner, place, subgraphs=subgraphs, head=True)
        if state is None:
            config = {"configurable": {"thread_id": place.thread_id, "checkpoint_ns": ""}}
            return StateSnapshot({}, (), config, None, None, None, (), ())
        return self._snapshot(state, place, head=not place.checkpoint_id, subgraphs=subgraphs)

    def _snapshot(
        self, state: ThreadState, place: Place, *, head: bool, subgraphs: bool = False
    ) -> StateSnapshot:
        return _snapshot(self.graph, state, place, subgraphs=subgraphs, head=head)


def _snapshot(
    graph: Graph, state: ThreadState, place: Place, *, subgraphs: bool, head: bool
) -> StateSnapshot:
    thread = {"thread_id": place.thread_id}
    shown = snapshot(graph, state, thread, ns=place.ns, head=head)
    if not subgraphs:
        return shown
    tasks = []
    for task in shown.tasks:
        if isinstance(task.state, dict):
            ns = task.state["configurable"]["checkpoint_ns"]
            inner_graph, inner = inner_state(graph, state, ns)
            below = replace(place, ns=ns)
            inner_shown = _snapshot(inner_graph, inner, below, subgraphs=True, head=True)
            tasks.append(task._replace(state=inner_shown))
        else:
            tasks.append(task)
    return shown._replace(tasks=tuple(tasks))


class _Shape:
    """How chunks are wrapped for the caller."""

    def __init__(self, single: bool, subgraphs: bool, ns: str) -> None:
        self._single, self._subgraphs, self._ns = single, subgraphs, ns

    def chunks(self, view: View, event: Event) -> Iterator[Any]:
        if event.ns != self._ns and not self._subgraphs:
            return
        for mode, payload in chunks(view, event):
            wrapped = payload if self._single else (mode, payload)
            if not self._subgraphs:
                yield wrapped
            else:
                path = tuple(event.ns.split("|")) if event.ns else ()
                yield (path, payload) if self._single else (path, mode, payload)


def _saver(checkpointer: Any) -> BaseCheckpointSaver | None:
    if checkpointer is True:
        return None
    if checkpointer in (None, False):
        return None
    if not isinstance(checkpointer, BaseCheckpointSaver):
        msg = (
            f"Invalid checkpointer provided. Expected an instance of `BaseCheckpointSaver`, `True`, "
            f"`False`, or `None`. Received {type(checkpointer).__name__}."
        )
        raise TypeError(msg)
    return checkpointer


def _is_resume(given: Any) -> bool:
    return getattr(given, "resume", None) is not None and hasattr(given, "goto")


def _listing(filter_: Mapping[str, Any] | None, before: Config, limit: int | None) -> Listing:
    older = (before or {}).get("configurable", {}).get("checkpoint_id") or ""
    return Listing(before=older, limit=limit, filter=dict(filter_ or {}))


def _config_of(last: Event, job: Job) -> dict[str, Any]:
    if not isinstance(last, Concluded) or last.state is None:
        msg = "The update left no checkpoint."
        raise RuntimeError(msg)
    place = {"thread_id": job.place.thread_id, "checkpoint_ns": job.place.ns}
    return {"configurable": {**place, "checkpoint_id": last.state.checkpoint.id}}
