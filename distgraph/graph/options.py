"""What may be passed to a call of a graph by keyword, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Generic, Literal, Self, TypedDict
from uuid import UUID

from distgraph._arguments import names_of
from distgraph._message import HEARD
from distgraph._runtime import RunControl
from distgraph.core.graph import ChannelKeys, Graph
from distgraph.graph.checks import check_by, check_run_id, check_stops
from distgraph.types import All, Durability, StreamMode
from distgraph.typing import ContextT

MODES = ("values", "updates", "tasks", "checkpoints", "debug", "custom", "messages", "tools")
ONLY_SUBMITTED = ("run_id", "if_new")
ONLY_CALLED = ("print_mode", "debug", "version")
ONLY_INVOKED = ("distributed",)
_DEBUGGED = ("updates", "values")
Version = Literal["v1", "v2"]
_VERSIONS = ("v1", "v2")
_DURABILITIES = (None, "sync", "async", "exit")
Stops = All | Sequence[str] | None
Modes = StreamMode | Sequence[StreamMode] | None
Keys = str | Sequence[str] | None


class CallOptions(TypedDict, Generic[ContextT], total=False):
    """``context`` is what nodes find in their Runtime; the stops replace the compiled ones.

    ``control`` asks the run to stop at its next superstep.

    ``by`` says who starts the run, or answers: kept with an answer, and on a backend with
    the run; at most 255 characters.
    """

    context: ContextT | Mapping[str, Any] | None
    stream_mode: Modes
    interrupt_before: Stops
    interrupt_after: Stops
    durability: Durability | None
    by: str | None
    control: RunControl | None


class SubmitOptions(CallOptions[ContextT], Generic[ContextT], total=False):
    """``run_id``: the run's id, by which it begins once: the same call again gives its handle.

    1 to 100 visible ASCII characters, or a UUID. It is known again for as long as the run's outcome
    is kept. Without a ``thread_id`` the new thread has this id, too. ``if_new``: ThreadExists where
    the thread is stored already. ``subgraphs``: keep what ``run.stream(subgraphs=True)`` shows.
    """

    run_id: str | UUID | None
    if_new: bool
    subgraphs: bool


class ShownOptions(CallOptions[ContextT], Generic[ContextT], total=False):
    """``output_keys``: the state keys to show.

    By default a result has those of the output schema, a stream has all. ``print_mode`` names
    stream modes whose chunks are printed besides, ``debug`` stands for values and updates.
    """

    output_keys: Keys
    print_mode: Modes
    debug: bool | int | None


class InvokeOptions(ShownOptions[ContextT], Generic[ContextT], total=False):
    """``distributed``: in a node on a worker the graph runs as jobs, and the node's task waits.

    The node's body is left, and runs again from its top once the graph has ended: no worker waits.
    Its graph must be registered at the backend of the one around. In process it changes nothing.
    """

    distributed: bool


class StreamOptions(ShownOptions[ContextT], Generic[ContextT], total=False):
    """``subgraphs``: show what happens in graphs called inside nodes too."""

    subgraphs: bool


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call."""

    context: Any = None
    stream_mode: Modes = None
    output_keys: Keys = None
    interrupt_before: Stops = None
    interrupt_after: Stops = None
    durability: Durability | None = None
    subgraphs: bool = False
    distributed: bool = False
    by: str = ""
    control: RunControl | None = None
    run_id: str = ""
    if_new: bool = False
    print_mode: Modes = None
    debug: bool | int | None = None
    version: Version = "v1"
    modes: tuple[str, ...] = field(init=False)
    """The stream modes."""
    printed: tuple[str, ...] = field(init=False)
    """The modes whose chunks are printed."""
    all_modes: frozenset[str] = field(init=False)
    """The modes of which chunks are wanted, for the caller or to be printed."""

    def __post_init__(self) -> None:
        modes, printed = names_of(self.stream_mode or ()), names_of(self.print_mode or ())
        printed += _DEBUGGED if self.debug else ()
        object.__setattr__(self, "modes", tuple(modes))
        object.__setattr__(self, "printed", tuple(dict.fromkeys(printed)))
        object.__setattr__(self, "all_modes", frozenset((*modes, *printed)))

    @classmethod
    def read(cls, call: str, given: Mapping[str, Any], default: Modes) -> Self:
        """Return the options of a ``call``; TypeError or ValueError says which one is wrong."""
        known = _known(call)
        if unknown := [name for name in given if name not in known]:
            msg = f"{call}() got an unexpected option '{unknown[0]}': it takes {', '.join(known)}."
            raise TypeError(msg)
        chosen = given.get("stream_mode") or default
        by, run_id = check_by(call, given.get("by")), check_run_id(call, given.get("run_id"))
        options = cls(**{**given, "stream_mode": chosen, "by": by, "run_id": run_id})
        if options.durability not in _DURABILITIES:
            msg = f"durability must be 'sync', 'async' or 'exit', not {options.durability!r}."
            raise ValueError(msg)
        options._check_modes()
        if options.version not in _VERSIONS:
            msg = f"version must be 'v1' or 'v2', not {options.version!r}."
            raise ValueError(msg)
        return options

    def with_context(self, context: Any) -> Self:
        """Return the same options, with ``context`` where the caller gave none."""
        return self if self.context or context is None else replace(self, context=context)

    def _check_modes(self) -> None:
        for name, modes in (("stream_mode", self.modes), ("print_mode", self.printed)):
            if unknown := [mode for mode in modes if mode not in MODES]:
                msg = f"Unknown {name} {unknown[0]!r}. The modes are: {', '.join(MODES)}."
                raise ValueError(msg)

    @property
    def is_single(self) -> bool:
        """Whether chunks are bare payloads, because one mode was named and not a list."""
        return isinstance(self.stream_mode, str)

    @property
    def is_live(self) -> bool:
        """Whether chunks are wanted while a node still runs."""
        return self.subgraphs or self.hears or "custom" in self.all_modes

    @property
    def hears(self) -> bool:
        """Whether what models and tools tell is wanted."""
        return not HEARD.isdisjoint(self.all_modes)

    def before(self, graph: Graph) -> frozenset[str]:
        """Return the nodes of ``graph`` that the call stops before."""
        return _stops(graph, self.interrupt_before, graph.before)

    def after(self, graph: Graph) -> frozenset[str]:
        """Return the nodes of ``graph`` that the call stops after."""
        return _stops(graph, self.interrupt_after, graph.after)

    def keys(self, graph: Graph, default: ChannelKeys) -> ChannelKeys:
        """Return the keys that a call of ``graph`` shows; ValueError for one that it lacks."""
        given = self.output_keys
        if given is None:
            return default
        keys = names_of(given)
        if unknown := [key for key in keys if key not in graph.channels]:
            msg = f"output_keys names an unknown state key: {unknown[0]!r}."
            raise ValueError(msg)
        return given if isinstance(given, str) else tuple(keys)


NAMES = tuple(each.name for each in fields(Options) if each.init)


@cache
def _known(call: str) -> tuple[str, ...]:
    """Return the names of the options that a call takes."""
    others = ONLY_CALLED if "submit" in call else ONLY_SUBMITTED
    others = others if "invoke" in call else (*others, *ONLY_INVOKED)
    return tuple(name for name in NAMES if name not in others)


def _stops(graph: Graph, given: Stops, compiled: frozenset[str]) -> frozenset[str]:
    """Return a call's breakpoints; a non-empty argument replaces the compiled ones."""
    if not given:
        return compiled
    handlers = (node.handler.name for node in graph.nodes.values() if node.handler)
    return check_stops(graph.nodes, given, tuple(handlers), graph.hidden)
