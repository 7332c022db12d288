"""Pregel: a graph that runs, in this process or on a backend; CompiledStateGraph is one of edges.

Every ``a...`` method does what its namesake does, on the caller's event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from copy import copy
from dataclasses import replace
from typing import Any, Generic, Self, cast

from typing_extensions import Unpack

from distgraph._caching import CachePolicy
from distgraph._checked import checked
from distgraph._foreign import foreign
from distgraph._timeouts import seconds_of
from distgraph.channels.base import BaseChannel
from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.graph import Graph
from distgraph.graph import configs
from distgraph.graph.batches import Batches
from distgraph.graph.blueprint import Blueprint
from distgraph.graph.checks import (
    check_stops,
    check_text,
    checked_cache,
    checked_store,
    policies_of,
)
from distgraph.graph.clearing import Clearing, refuse_in_memory
from distgraph.graph.described import Described
from distgraph.graph.drawable import Drawable
from distgraph.graph.evented import Evented
from distgraph.graph.jobs import Owner, about, job_of
from distgraph.graph.nested import Inner, leaving
from distgraph.graph.options import InvokeOptions, Options, StreamOptions, SubmitOptions, Version
from distgraph.graph.piped import Piped, join_runnables
from distgraph.graph.results import conclude, result_of, since_input, since_told
from distgraph.graph.shape import UNTYPED, Instances, Shape, instances
from distgraph.graph.state_access import Config, StateAccess
from distgraph.graph.subgraphs import holds_graph, schemas_of
from distgraph.runners.backend import Backend, Job
from distgraph.runners.handle import Run
from distgraph.runners.local import LocalBackend
from distgraph.streaming import View
from distgraph.types import All, Command, RetryPolicy, StreamMode
from distgraph.typing import ContextT, InputT, OutputT, StateT


@checked
class Pregel(
    Batches,
    Clearing,
    Described,
    Drawable,
    Evented,
    Piped,
    StateAccess[StateT],
    Generic[StateT, ContextT, InputT, OutputT],
):
    """A graph that can be run, made of nodes and of the channels between them.

    A node runs in the superstep after one of the channels that it subscribes to was written; all
    that the nodes of a superstep write is there in the next. The names are LangGraph's.

    ``nodes``: name -> NodeBuilder. ``channels``: name -> LastValue(int), Topic(str) and the like.
    ``input_channels``, ``output_channels`` and ``stream_channels`` (what streams and snapshots
    show, by default all): one name, for bare values, or a list of them, for dicts.
    ``retry_policy`` and ``cache_policy`` are those of nodes that have none. ``backend``: where it
    runs, under ``name``. ``debug`` counts for calls that do not say otherwise.
    ``stream_eager`` changes nothing: chunks are there as soon as they are made.

    Raises ValueError for channels and nodes that are named and not there, TypeError for what is
    neither a node nor a channel.
    """

    stream_mode: StreamMode
    """What ``stream`` shows that names no mode."""

    store: Any = None
    """What its nodes find as the store; graphs inside have their own, or this one."""

    _step_timeout: float | None = None

    debug: bool = False
    """Whether calls that do not say so print what they do."""

    def __init__(  # noqa: PLR0913 the signature is LangGraph's
        self,
        *,
        nodes: Mapping[str, Any],
        channels: Mapping[str, BaseChannel],
        input_channels: str | Sequence[str],
        output_channels: str | Sequence[str],
        stream_channels: str | Sequence[str] | None = None,
        stream_mode: StreamMode = "values",
        stream_eager: bool = False,
        debug: bool | None = None,
        interrupt_before_nodes: All | Sequence[str] = (),
        interrupt_after_nodes: All | Sequence[str] = (),
        checkpointer: Any = None,
        step_timeout: float | None = None,
        store: Any = None,
        cache: Any = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        context_schema: type[ContextT] | None = None,
        config: Config = None,
        name: str = "LangGraph",
        backend: Any = None,
    ) -> None:
        from distgraph.graph.channelled import NamedChannels, graph_of  # noqa: PLC0415 few build so

        del stream_eager
        named = NamedChannels.of(channels, input_channels, output_channels, stream_channels)
        graph = graph_of(name, nodes, named, policies_of(retry_policy), cache_policy)
        before = check_stops(graph.nodes, interrupt_before_nodes, hidden=graph.hidden)
        after = check_stops(graph.nodes, interrupt_after_nodes, hidden=graph.hidden)
        builder = Blueprint(Any, context_schema, Any, Any, schemas=list(graph.schema_types))
        graph = replace(graph, before=before, after=after)
        self._set(graph, builder, checkpointer, config=config)
        self.stream_mode, self.debug = stream_mode, bool(debug)
        self.store, self.cache = checked_store(store), checked_cache(cache)
        self.step_timeout = step_timeout
        if backend is not None:
            self._register(backend, name)

    def _set(
        self,
        graph: Graph,
        builder: Blueprint,
        checkpointer: Any,
        *,
        backend: Backend | None = None,
        config: Config = None,
    ) -> None:
        join_runnables()
        self.graph = graph
        self.builder = builder
        self.config: Mapping[str, Any] = configs.merge_configs(config)
        self._checkpointer = checkpointer
        self.backend: Backend = backend or LocalBackend(_saver(checkpointer, graph))

    @property
    def checkpointer(self) -> Any:
        """What stores its threads: a saver, True or False inside of another graph, or None.

        On a backend it is a saver over what that stores. It may be set; ValueError for a graph on a
        backend, which stores its threads itself.
        """
        saver = getattr(self.backend, "saver", None)
        return saver(self.graph) if saver and self._is_placed else self._checkpointer

    @checkpointer.setter
    def checkpointer(self, saver: Any) -> None:
        if self._is_placed:
            raise ValueError(_stores_itself(self.name, saver, self.backend))
        self.backend = LocalBackend(_saver(saver, self.graph))
        self._checkpointer = saver

    @property
    def name(self) -> str:
        """The name that the graph was compiled under.

        It may be set; ValueError for a graph on a backend, where it is found by its name.
        """
        return self.graph.name

    @name.setter
    def name(self, name: str) -> None:
        check_text("The name of a graph", name)
        if self._is_placed:
            msg = (
                f"Graph '{self.name}' is registered on {self.backend!r} under its name: "
                f"graph.on(backend, {name!r}) gives one that is called otherwise."
            )
            raise ValueError(msg)
        self.graph = replace(self.graph, name=name)

    @property
    def _is_placed(self) -> bool:
        return not isinstance(self.backend, LocalBackend)

    def copy(self, update: Mapping[str, Any] | None = None) -> Self:
        """Return the same graph again, with the attributes in ``update`` set to other values.

        Raises AttributeError for what is no attribute of a graph.
        """
        made = copy(self)
        for name, value in (update or {}).items():
            getattr(made, name)
            setattr(made, name, value)
        return made

    @property
    def step_timeout(self) -> float | None:
        """The seconds that a superstep may take, None for any time.

        Then the run ends with a TimeoutError. Coroutines are cancelled; what blocks is waited for,
        and what it leaves is kept, as LangGraph does. It may be set; TypeError for what is no
        number, ValueError for one that is not above 0.
        """
        return self._step_timeout

    @step_timeout.setter
    def step_timeout(self, limit: float | None) -> None:
        self._step_timeout = seconds_of("step_timeout", limit)

    @property
    def nodes(self) -> Mapping[str, Any]:
        """The nodes by name."""
        return self.graph.nodes

    @property
    def channels(self) -> Mapping[str, Any]:
        """The channels by state key."""
        return self.graph.channels

    @property
    def owner(self) -> Owner:
        """What jobs of this graph are made from."""
        schema = self.builder.context_schema
        return Owner(
            self.graph,
            self.backend,
            self._checkpointer,
            schema,
            self.store,
            self.step_timeout,
            self.cache,
        )

    def with_config(self, config: Config = None, **more: Any) -> Self:
        """Return the same graph with ``config`` under every config that it is called with."""
        return self.copy({"config": configs.merge_configs(self.config, config, more)})

    def on(self, backend: Any, name: str | None = None) -> Self:
        """Return the same graph on ``backend``, registered there under ``name``.

        Its own checkpointer is replaced: the backend stores its threads.
        """
        check_text("The name of a graph", name or "")
        named = replace(self.graph, name=name) if name else self.graph
        free = self.copy({"graph": named, "_checkpointer": None})
        return free.placed(backend, name or self.graph.name)

    def placed(self, backend: Any, name: str | None) -> Self:
        """Return this graph as ``compile(backend=...)`` gives it; ValueError for what clashes."""
        made = self.copy()
        made._register(backend, name)  # noqa: SLF001 of the same class
        return made

    def _register(self, backend: Any, name: str | None) -> None:
        if not hasattr(backend, "register"):
            msg = f"backend must carry runs, as CeleryBackend does, not {backend!r}."
            raise TypeError(msg)
        if self._checkpointer is not None:
            raise ValueError(_stores_itself(self.name, self._checkpointer, backend))
        refuse_in_memory(self.name, self.cache)
        if not name:
            msg = "A graph on a backend needs a name, so that workers find it: compile(name=...)."
            raise ValueError(msg)
        self.backend = backend
        backend.register(self)

    # --- running -------------------------------------------------------------------------

    def invoke(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        version: Version = "v1",
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> OutputT:
        """Run the graph to its end or to a pause and return the state.

        A pause adds ``__interrupt__``, a list of Interrupt. ``version="v2"`` returns a GraphOutput:
        what the output schema makes of the state, and the interrupts. Another ``stream_mode`` than
        "values" returns the list of its chunks. None when the run wrote no output key. Raises what
        a node raised, ValueError for a bad config, or ``distributed`` outside of a node,
        EmptyInputError, ResumeError, GraphRecursionError, InvalidUpdateError.
        """
        asked = self._asked("invoke", options, version, "values")
        keys = asked.keys(self.graph, self.graph.outputs)
        if asked.distributed:
            call = leaving(self, (input, self._merged(config)), options, asked)
            if call and (left := call.begin()) is not None:
                return self._returned(asked, left.result())
        if asked.stream_mode != "values":
            given = _streamed(options, keys)
            return cast(OutputT, list(self.stream(input, config, version=version, **given)))
        inner, job = self._job(input, config, asked, heard=False)
        shape, last, since = self._shape(job, asked, keys), None, since_input(input)
        for event in inner.events(self.backend, job):
            last, since = event, since_told(since, event)
            shape.printed(event)
        result = result_of(self.graph, last, keys, inner.frame, since)
        found: OutputT = shape.result(result)
        return found

    async def ainvoke(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        version: Version = "v1",
        **options: Unpack[InvokeOptions[ContextT]],
    ) -> OutputT:
        """Do what ``invoke`` does."""
        asked = self._asked("ainvoke", options, version, "values")
        keys = asked.keys(self.graph, self.graph.outputs)
        if asked.distributed:
            call = leaving(self, (input, self._merged(config)), options, asked)
            if call and (left := await call.abegin()) is not None:
                return self._returned(asked, await left)
        if asked.stream_mode != "values":
            given = _streamed(options, keys)
            chunks = self.astream(input, config, version=version, **given)
            return cast(OutputT, [chunk async for chunk in chunks])
        inner, job = self._job(input, config, asked, heard=False)
        shape, last, since = self._shape(job, asked, keys), None, since_input(input)
        async for event in inner.aevents(self.backend, job):
            last, since = event, since_told(since, event)
            shape.printed(event)
        result = result_of(self.graph, last, keys, inner.frame, since)
        found: OutputT = shape.result(result)
        return found

    def stream(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        version: Version = "v1",
        **options: Unpack[StreamOptions[ContextT]],
    ) -> Iterator[Any]:
        """Run the graph and yield chunks as they come, of the modes that ``stream_mode`` names.

        One mode yields its payloads, a list of modes (mode, payload) pairs; ``subgraphs`` puts the
        namespace of the graph that a chunk comes from before it. ``version="v2"`` yields a
        StreamPart for each. Raises what ``invoke`` raises.

        Who leaves it early ends the run: no task is begun any more, and what the running ones leave
        is kept for ``invoke(None)``. Workers go on with theirs. ``astream`` cancels coroutines.
        """
        inner, job, shape = self._streamed("stream", input, config, options, version)
        with closing(inner.events(self.backend, job)) as events:
            for event in events:
                yield from shape.chunks(event)
                conclude(event, inner.frame)

    async def astream(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        *,
        version: Version = "v1",
        **options: Unpack[StreamOptions[ContextT]],
    ) -> AsyncIterator[Any]:
        """Do what ``stream`` does."""
        inner, job, shape = self._streamed("astream", input, config, options, version)
        async with aclosing(inner.aevents(self.backend, job)) as events:
            async for event in events:
                for chunk in shape.chunks(event):
                    yield chunk
                conclude(event, inner.frame)

    # --- the distributed calls -------------------------------------------------------------

    def submit(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        **options: Unpack[SubmitOptions[ContextT]],
    ) -> Run[OutputT]:
        """Start a run on the backend and return its handle at once.

        ``stream_mode`` names the modes that ``run.stream()`` can show later. Raises RuntimeError
        on a graph without a backend, and what ``invoke`` raises before a run starts.
        """
        backend = self._distributed()
        _, job = self._job(input, config, Options.read("submit", options, "updates"))
        run: Run[OutputT] = backend.submit(job)
        return run

    async def asubmit(
        self,
        input: InputT | Command[Any, Any] | None,  # noqa: A002 LangGraph's name
        config: Config = None,
        **options: Unpack[SubmitOptions[ContextT]],
    ) -> Run[OutputT]:
        """Do what ``submit`` does."""
        backend = self._distributed()
        _, job = self._job(input, config, Options.read("asubmit", options, "updates"))
        run: Run[OutputT] = await backend.asubmit(job)
        return run

    def _distributed(self) -> Any:
        if not hasattr(self.backend, "submit"):
            msg = (
                f"Graph '{self.name}' has no backend: submit() needs one that runs on its own, "
                "compile(name=..., backend=...). In this process, use invoke() or stream()."
            )
            raise RuntimeError(msg)
        return self.backend

    # --- how a call becomes a job ------------------------------------------------------------

    def _asked(
        self, call: str, given: Mapping[str, Any], version: Version, mode: StreamMode
    ) -> Options:
        debug = self.debug if given.get("debug") is None else given["debug"]
        return Options.read(call, {**given, "version": version, "debug": debug}, mode)

    def _job(
        self, given: Any, config: Config, options: Options, *, heard: bool = True
    ) -> tuple[Inner, Job]:
        return job_of(self.owner, given, self._merged(config), options, heard=heard)

    def _streamed(
        self, call: str, given: Any, config: Config, options: Mapping[str, Any], version: Version
    ) -> tuple[Inner, Job, Shape]:
        asked = self._asked(call, options, version, self.stream_mode)
        keys = asked.keys(self.graph, self.graph.shown)
        inner, job = self._job(given, config, asked)
        return inner, job, self._shape(job, asked, keys)

    def _shape(self, job: Job, asked: Options, keys: str | tuple[str, ...]) -> Shape:
        thread = job.place.thread_id if job.invocation.durable else ""
        view = View(self.graph, asked.all_modes, keys, set(), about(job), thread, holds_graph)
        return Shape(view, asked, self._made(asked))

    def _made(self, asked: Options) -> Instances:
        schemas = self.builder.output_schema, self.builder.state_schema
        return instances(*schemas) if asked.version == "v2" else UNTYPED

    def _returned(self, asked: Options, values: Any) -> OutputT:
        """Return what the caller gets for what others have returned."""
        made = self._made(asked).result(values) if asked.version == "v2" else values
        return cast(OutputT, made)


@checked
class CompiledStateGraph(
    Pregel[StateT, ContextT, InputT, OutputT], Generic[StateT, ContextT, InputT, OutputT]
):
    """A graph that can be run. Made by ``StateGraph.compile``.

    Its parameters, for type checkers, are those of ``StateGraph``: state, context, input, output.
    """

    def __init__(
        self,
        graph: Graph,
        builder: Blueprint,
        checkpointer: Any,
        *,
        backend: Backend | None = None,
        config: Config = None,
    ) -> None:
        self._set(graph, builder, checkpointer, backend=backend, config=config)
        self.stream_mode = "updates"


def _stores_itself(name: str, saver: Any, backend: Any) -> str:
    return (
        f"Graph '{name}' was given the checkpointer {saver!r} and the backend {backend!r}: a "
        "backend stores its threads itself, leave one out."
    )


def _streamed(options: Mapping[str, Any], keys: Any) -> StreamOptions[Any]:
    """Return what ``invoke`` was called with, for who shows the chunks."""
    given = {k: v for k, v in options.items() if k != "distributed"}
    return cast(StreamOptions[Any], {**given, "output_keys": keys})


def _saver(checkpointer: Any, graph: Graph) -> BaseCheckpointSaver | None:
    """Return the checkpointer, knowing the classes of the graph's state."""
    if checkpointer is None or isinstance(checkpointer, bool):
        return None
    if not isinstance(checkpointer, BaseCheckpointSaver):
        msg = (
            "Invalid checkpointer provided. Expected an instance of `BaseCheckpointSaver`, `True`, "
            f"`False`, or `None`. Received {type(checkpointer).__name__}. {foreign(checkpointer)}"
        )
        raise TypeError(msg.rstrip())
    return checkpointer.with_allowlist(classes_of(*schemas_of(graph)))
