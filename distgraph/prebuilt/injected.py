"""What tools are given besides what a model asks them: state, store, and all that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Generic, Union, get_args, get_origin, get_type_hints

from typing_extensions import TypeVar

from distgraph._frame import running
from distgraph._message import ToolTold
from distgraph._runtime import ExecutionInfo, ServerInfo
from distgraph.prebuilt.langchain import DirectlyInjected, InjectedToolArg

StateT = TypeVar("StateT", default=dict[str, Any])
ContextT = TypeVar("ContextT", default=None)


class InjectedState(InjectedToolArg):
    """Gives a tool the state: ``Annotated[dict, InjectedState]``, or a key by its name.

    No model is told of the argument, and none can set it. ``field`` is the key, None for all.
    """

    def __init__(self, field: str | None = None) -> None:
        self.field = field


class InjectedStore(InjectedToolArg):
    """Gives a tool the store of its graph: ``Annotated[BaseStore, InjectedStore()]``."""


@dataclass
class ToolRuntime(DirectlyInjected, Generic[ContextT, StateT]):
    """All that a tool can know of its call: a parameter of this type, or of the name ``runtime``.

    ``state`` is what its node was given, ``tools`` all tools of that, and ``config``, ``context``,
    ``store``, ``stream_writer`` are those of the node. ``tool_call_id`` is the id of the call.
    """

    state: StateT
    context: ContextT
    config: Mapping[str, Any]
    stream_writer: Callable[[Any], None]
    tool_call_id: str | None
    store: Any
    tools: list[Any] = field(default_factory=list)
    execution_info: ExecutionInfo | None = None
    server_info: ServerInfo | None = None

    def emit_output_delta(self, delta: Any) -> None:
        """Stream a part of what the tool returns, in the mode ``tools``; else it does nothing."""
        speak = getattr(running(), "speak", None)
        if speak is not None:
            told = {"event": "tool-output-delta", "tool_call_id": self.tool_call_id, "delta": delta}
            speak(ToolTold(told), {}, True)


@dataclass(frozen=True, slots=True)
class Injection:
    """Which arguments of a tool are injected: ``state`` maps them to a key, or to None for all.

    ``hidden`` are all that a model cannot set, ``optional`` those that the state may lack.
    """

    state: Mapping[str, str | None]
    store: tuple[str, ...]
    runtime: tuple[str, ...]
    hidden: frozenset[str]
    optional: frozenset[str]

    def arguments(self, tool: str, runtime: ToolRuntime[Any, Any], key: str) -> dict[str, Any]:
        """Return what the tool is given; ``key``: what messages are called in a state.

        Raises ValueError where there is no store, or a list of messages for a state with keys, and
        KeyError for a key that the state lacks.
        """
        if self.store and runtime.store is None:
            msg = f"The tool '{tool}' wants a store: compile the graph with store=..."
            raise ValueError(msg)
        return {
            **dict(self._from(tool, runtime.state, key)),
            **dict.fromkeys(self.store, runtime.store),
            **dict.fromkeys(self.runtime, runtime),
        }

    def _from(self, tool: str, state: Any, key: str) -> Iterator[tuple[str, Any]]:
        if self.state and isinstance(state, list):
            if wrong := {name for name in self.state.values() if name not in (None, key)}:
                msg = (
                    f"The tool '{tool}' wants {', '.join(sorted(map(str, wrong)))} of the state, "
                    "and its node was given a list of messages: give it a dict."
                )
                raise ValueError(msg)
            state = {key: state}
        for argument, name in self.state.items():
            if name is None:
                yield argument, state
            elif (found := _item(state, name)) is not _ABSENT:
                yield argument, found
            elif argument not in self.optional:
                raise KeyError(f"The tool '{tool}' wants '{name}' of the state, which has it not.")


_ABSENT = object()


def _item(state: Any, name: str) -> Any:
    if isinstance(state, Mapping):
        return state.get(name, _ABSENT)
    return getattr(state, name, _ABSENT)


def injection_of(tool: Any) -> Injection:
    """Return what is injected into ``tool``; ValueError for an argument that is marked twice."""
    schema = tool.get_input_schema()
    function = getattr(tool, "func", None) or getattr(tool, "coroutine", None)
    known, own = getattr(schema, "model_fields", {}), _hints(function) if function else {}
    hints = {name: hint for name, hint in _hints(schema).items() if name in known}
    marks = {name: _marks(own.get(name)) or _marks(hints.get(name)) for name in {**own, **hints}}
    state = {name: _key(name, found) for name, found in marks.items() if _of(InjectedState, found)}
    return Injection(
        state=state,
        store=tuple(name for name, found in marks.items() if _of(InjectedStore, found)),
        runtime=tuple(n for n, found in marks.items() if n == "runtime" or _of(ToolRuntime, found)),
        hidden=frozenset(name for name, found in marks.items() if found),
        optional=frozenset(n for n in state if n in known and not known[n].is_required()),
    )


def is_marked(hint: Any) -> bool:
    """Whether an argument of that annotation is injected."""
    return bool(_marks(hint))


def _hints(given: Any) -> dict[str, Any]:
    try:
        return get_type_hints(given, include_extras=True)
    except Exception:  # noqa: BLE001 hints that cannot be resolved only mean no hint
        return {}


def _marks(hint: Any) -> tuple[Any, ...]:
    """Return the marks of injection in an annotation: instances, and classes, also in unions."""
    for one in (hint, get_origin(hint)):
        if issubclass(_class_of(one), InjectedToolArg | DirectlyInjected):
            return (one,)
    if get_origin(hint) not in (Annotated, Union, UnionType):
        return ()
    return tuple(mark for inner in get_args(hint) for mark in _marks(inner))


def _of(cls: type, marks: tuple[Any, ...]) -> bool:
    return any(issubclass(_class_of(mark), cls) for mark in marks)


def _class_of(mark: Any) -> type:
    return mark if isinstance(mark, type) else type(mark)


def _key(name: str, marks: tuple[Any, ...]) -> str | None:
    found = [mark for mark in marks if _of(InjectedState, (mark,))]
    if len(found) > 1:
        raise ValueError(f"The argument '{name}' of a tool is marked with InjectedState twice.")
    return getattr(found[0], "field", None)
