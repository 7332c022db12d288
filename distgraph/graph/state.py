"""StateGraph: build a graph node by node, then compile it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, Self, get_args, get_origin, overload

from distgraph._arguments import as_name, names_of, shortly
from distgraph._caching import CachePolicy
from distgraph._checked import checked
from distgraph._timeouts import Timeout, TimeoutPolicy
from distgraph.channels import LastValue
from distgraph.core.model import END, START
from distgraph.graph.assembling import graph_of
from distgraph.graph.blueprint import Blueprint, BranchSpec, NodeDefaults, NodeSpec
from distgraph.graph.callees import (
    DEFAULT_HANDLER,
    HANDLER,
    callee_of,
    combined,
    handler_of,
    input_hint,
    is_runnable,
    name_of,
    return_hint,
)
from distgraph.graph.checks import (
    check,
    check_dispatch,
    check_name,
    check_schema,
    check_stops,
    check_text,
    checked_cache,
    checked_store,
    policies_of,
)
from distgraph.graph.compiled import CompiledStateGraph
from distgraph.graph.schema import channels_of, hints_of, managed_of
from distgraph.types import All, RetryPolicy
from distgraph.typing import (
    ContextT,
    InputDictT,
    InputT,
    OutputDictT,
    OutputT,
    StateDictT,
    StateT,
)

log: Final = logging.getLogger(__name__)
_LEFT_OUT: Any = None
"""A default that tells pyright that a type is Any where no argument says it; mypy needs no help."""


@checked
class StateGraph(Blueprint, Generic[StateT, ContextT, InputT, OutputT]):
    """A graph whose nodes share a state: each takes the state and returns an update of it.

    ``state_schema`` is a TypedDict, a dataclass, a pydantic model, or one annotated type. Raises
    ValueError for a reducer that does not take two arguments.

    Type checkers know the state and the input where the schemas are TypedDicts, the output where
    an ``output_schema`` is one, and the context by any ``context_schema``.
    """

    @overload
    def __init__(
        self: StateGraph[StateDictT, ContextT, StateDictT, OutputDictT],
        state_schema: type[StateDictT],
        context_schema: type[ContextT] | None = _LEFT_OUT,
        *,
        input_schema: None = None,
        output_schema: type[OutputDictT] | None = _LEFT_OUT,
    ) -> None: ...

    @overload
    def __init__(
        self: StateGraph[StateDictT, ContextT, InputDictT, OutputDictT],
        state_schema: type[StateDictT],
        context_schema: type[ContextT] | None = _LEFT_OUT,
        *,
        input_schema: type[InputDictT],
        output_schema: type[OutputDictT] | None = _LEFT_OUT,
    ) -> None: ...

    @overload
    def __init__(
        self: StateGraph[Any, ContextT, Any, Any],
        state_schema: Any,
        context_schema: type[ContextT] | None = _LEFT_OUT,
        *,
        input_schema: Any = None,
        output_schema: Any = None,
    ) -> None: ...

    def __init__(
        self,
        state_schema: Any,
        context_schema: Any = None,
        *,
        input_schema: Any = None,
        output_schema: Any = None,
    ) -> None:
        super().__init__(
            state_schema,
            context_schema,
            input_schema or state_schema,
            output_schema or state_schema,
        )
        self.compiled: bool = False
        check_schema(state_schema)
        for schema in (state_schema, self.input_schema, self.output_schema):
            self._add_schema(schema)

    def _add_schema(self, schema: Any) -> None:
        if any(schema is known for known in self.schemas):
            return
        check_schema(schema)
        self.schemas.append(schema)
        self.managed |= managed_of(schema)
        for key, channel in channels_of(schema).items():
            if key not in self.channels or type(self.channels[key]) is LastValue:
                self.channels[key] = channel

    def add_node(  # noqa: PLR0913 the signature is LangGraph's
        self,
        node: Any,
        action: Any = None,
        *,
        defer: bool = False,
        metadata: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Any = None,
        timeout: Timeout = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        queue: str = "",
        priority: int = 0,
    ) -> Self:
        """Add a node: a function, a callable object, or another compiled graph, after its name.

        Without a name, which may be left out, it has that of the function or graph.

        ``queue`` and ``priority`` (0 to 9, the most urgent) say where and how urgently its tasks
        are dispatched on Celery. A queue's name gets the backend's namespace in front of it, unless
        the application is the user's own. ``defer``: run only when nothing else is left.
        ``error_handler`` takes the place of the node in a superstep in which it has failed for
        good: a function of the node's input, which may ask for an ``error: NodeError`` too. What it
        returns counts in place of the node's writes, edges and conditional edges. ``timeout``
        limits each attempt at a coroutine: seconds, a timedelta or a ``TimeoutPolicy``.
        ``destinations``: the nodes that its Commands go to, or their names with labels, for
        drawings. ``cache_policy``: what the node left counts again when it gets the same, where
        the graph has a cache. Raises ValueError for a name that is taken or reserved, TypeError for
        something that cannot be called.
        """
        self._warn_if_compiled("node")
        named = isinstance(node, str) or action is not None
        name: Any = as_name(node) if named else name_of(node)
        action = combined(action if action is not None else node)
        if isinstance(action, str):
            msg = f"Node '{name}' has no action: add_node('{name}', function)."
            raise TypeError(msg)
        check_name(name, self.nodes)
        check_dispatch(name, queue, priority)
        retry = policies_of(retry_policy)
        schema = input_schema or self._hinted(action) or self.state_schema
        self._add_schema(schema)
        self.nodes[name] = NodeSpec(
            callee=callee_of(action, name),
            schema=schema,
            action=action,
            retry=retry,
            defer=defer,
            queue=queue,
            priority=priority,
            metadata=metadata or {},
            destinations=_destinations(destinations),
            handler=handler_of(error_handler, f"{HANDLER}{name}"),
            timeout=TimeoutPolicy.coerce(timeout),
            cache=cache_policy,
        )
        return self

    def set_node_defaults(
        self,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Any = None,
        timeout: Timeout = None,
    ) -> Self:
        """Say what counts for nodes that say nothing of it themselves, added before or after.

        What is left out stays as it was. Retry policies and timeouts count for error handlers, too.
        Raises TypeError for what ``add_node`` refuses.
        """
        self._warn_if_compiled("default")
        handler = handler_of(error_handler, DEFAULT_HANDLER)
        self.defaults = NodeDefaults(
            policies_of(retry_policy) or self.defaults.retry,
            handler or self.defaults.handler,
            TimeoutPolicy.coerce(timeout) or self.defaults.timeout,
            cache_policy or self.defaults.cache,
        )
        return self

    def _hinted(self, action: Any) -> Any:
        hint = input_hint(action) if not is_runnable(action) else None
        if isinstance(hint, type) and hint is not dict and hints_of(hint) is not None:
            return hint
        return None

    def add_edge(self, start_key: str | Sequence[str], end_key: str) -> Self:
        """Make ``end_key`` run after ``start_key``; with several starts, after all of them.

        Raises ValueError for END as a start, START as an end, or several starts not added yet.
        """
        self._warn_if_compiled("edge")
        starts, end_key = names_of(start_key), as_name(end_key)
        if END in starts:
            msg = "END cannot be a start node"
            raise ValueError(msg)
        if end_key == START:
            msg = "START cannot be an end node"
            raise ValueError(msg)
        if isinstance(start_key, str):
            self.edges.add((starts[0], end_key))
            return self
        if not starts:
            msg = f"The edge to '{end_key}' needs at least one start."
            raise ValueError(msg)
        for name in (*starts, end_key):
            if name not in self.nodes and name != END:
                msg = f"Need to add_node `{name}` first"
                raise ValueError(msg)
        self.waiting_edges.append((tuple(starts), end_key))
        return self

    def add_conditional_edges(
        self,
        source: str,
        path: Any,
        path_map: Mapping[Hashable, str] | Sequence[str] | None = None,
    ) -> Self:
        """After ``source``, run what ``path(state)`` returns: names, Sends, or keys of the map.

        ``path`` sees the keys of the schema that annotates its parameter; without one those of
        ``source``'s, and in a dict whatever else ``source`` returned.

        Raises ValueError when ``source`` has a conditional edge of the same name already.
        """
        self._warn_if_compiled("conditional edge")
        name, source = name_of(path), as_name(source)
        if name in self.branches.get(source, {}):
            msg = f"Branch with name `{name}` already exists for node `{source}`"
            raise ValueError(msg)
        own = self._hinted(path)
        schema = own or self._source_schema(source)
        self._add_schema(schema)
        branch = BranchSpec(callee_of(path, name), schema, _ends(path, path_map), own is None)
        self.branches.setdefault(source, {})[name] = branch
        return self

    def _source_schema(self, source: str) -> Any:
        return self.nodes[source].schema if source in self.nodes else self.state_schema

    def add_sequence(self, nodes: Sequence[Any]) -> Self:
        """Add ``nodes`` (functions, or (name, function) pairs) as a chain of edges.

        Raises ValueError for an empty sequence or a name that comes twice.
        """
        pairs = [_named(item) for item in nodes]
        names = [name for name, _ in pairs]
        if not names:
            msg = "Sequence requires at least one node."
            raise ValueError(msg)
        if twice := {name for name in names if names.count(name) > 1 or name in self.nodes}:
            msg = f"Node names must be unique: {', '.join(sorted(twice))} was given twice."
            raise ValueError(msg)
        for name, action in pairs:
            self.add_node(name, action)
        for before, after in itertools.pairwise(names):
            self.add_edge(before, after)
        return self

    def set_entry_point(self, key: str) -> Self:
        """Make ``key`` the first node."""
        return self.add_edge(START, key)

    def set_finish_point(self, key: str) -> Self:
        """Make ``key`` a last node."""
        return self.add_edge(key, END)

    def set_conditional_entry_point(self, path: Any, path_map: Any = None) -> Self:
        """Choose the first nodes by ``path(state)``."""
        return self.add_conditional_edges(START, path, path_map)

    def validate(self, interrupt: Sequence[str] | None = None) -> Self:
        """Raise ValueError for edges and breakpoints that name unknown nodes, or no entry."""
        check(self, interrupt or ())
        return self

    def compile(  # noqa: PLR0913 the signature is LangGraph's
        self,
        checkpointer: Any = None,
        *,
        cache: Any = None,
        store: Any = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        debug: bool = False,
        name: str | None = None,
        backend: Any = None,
    ) -> CompiledStateGraph[StateT, ContextT, InputT, OutputT]:
        """Return the graph, ready to run in this process, or on ``backend`` under ``name``.

        ``store`` is what nodes find as such, also in graphs inside that have none themselves.
        ``cache`` has what nodes left that have a cache policy, on workers a ``RedisCache``.
        ``debug`` prints what calls do that do not say otherwise.

        Raises ValueError for a graph that is not whole, and for ``backend`` without a ``name`` or
        together with a checkpointer; TypeError for something that is no checkpointer.
        """
        check_text("The name of a graph", name or "")
        before = check_stops(self.nodes, interrupt_before, self.handlers)
        after = check_stops(self.nodes, interrupt_after, self.handlers)
        self.validate()
        self.compiled = True
        ends_blocking = getattr(backend, "ends_blocking", False)
        graph = graph_of(self, name or "LangGraph", before, after, ends_blocking=ends_blocking)
        compiled: CompiledStateGraph[StateT, ContextT, InputT, OutputT] = CompiledStateGraph(
            graph, self, checkpointer
        )
        compiled.store, compiled.cache = checked_store(store), checked_cache(cache)
        compiled.debug = debug
        return compiled if backend is None else compiled.placed(backend, name)

    def _warn_if_compiled(self, what: str) -> None:
        if self.compiled:
            log.warning("Adding a %s to a graph that has already been compiled.", what)


def _named(item: Any) -> tuple[str, Any]:
    match item:
        case (str() as name, action):
            return as_name(name), action
        case tuple():
            msg = f"A sequence has functions and (name, function) pairs, not {shortly(item)}."
            raise TypeError(msg)
        case action:
            return name_of(action), action


def _destinations(
    given: Mapping[str, str] | Sequence[str] | None,
) -> Mapping[str, str | None] | None:
    if given is None:
        return None
    if isinstance(given, Mapping):
        return {as_name(name): label for name, label in given.items()}
    return dict.fromkeys(names_of(given))


def _ends(path: Any, path_map: Any) -> Mapping[Any, str] | None:
    if isinstance(path_map, Mapping):
        for key, end in path_map.items():
            if not isinstance(end, str):
                msg = f"path_map leads from {shortly(key)} to a node's name, not {shortly(end)}."
                raise TypeError(msg)
        return {key: as_name(end) for key, end in path_map.items()}
    if path_map is not None:
        return {name: name for name in names_of(path_map)}
    hint = return_hint(path)
    if get_origin(hint) is Literal:
        return {name: as_name(name) for name in get_args(hint)}
    return None
