"""Read what a node or a path function returned: state writes and what runs next."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from distgraph._arguments import as_name, shortly
from distgraph._brief import brief
from distgraph._foreign import foreign
from distgraph.channels.base import MISSING
from distgraph.core.graph import ROOT, Branch, ChannelKeys, Graph
from distgraph.core.model import END, START, Completed, Target, Write
from distgraph.errors import EmptyInputError, InvalidUpdateError, ParentCommand
from distgraph.types import Command, Send

log: Final = logging.getLogger(__name__)


def read_return(graph: Graph, name: str, output: Any, keys: Iterable[str]) -> Completed:
    """Return the writes to ``keys`` and the gotos in ``output``.

    Raises ParentCommand for a command to the enclosing graph, InvalidUpdateError for anything
    that is neither an update nor a command, or that names an unknown node.
    """
    if isinstance(output, list | tuple) and any(isinstance(x, Command | Send) for x in output):
        parts = [read_return(graph, name, part, keys) for part in output]
        return Completed(
            tuple(write for part in parts for write in part.writes),
            tuple(target for part in parts for target in part.goto),
        )
    match output:
        case Command(graph=Command.PARENT):
            raise ParentCommand(output)
        case Command():
            writes = _writes(name, output.update, keys)
            return Completed(writes, read_targets(graph, name, output.goto))
        case Send():
            return Completed((), read_targets(graph, name, output))
        case _:
            return Completed(_writes(name, output, keys))


def _writes(name: str, update: Any, keys: Iterable[str]) -> tuple[Write, ...]:
    known = tuple(keys)
    if update is None:
        return ()
    if known == (ROOT,):
        _refuse_foreign(name, update)
        return ((ROOT, update),)
    if isinstance(update, Mapping):
        return tuple(
            (key if type(key) is str else as_name(key), value)
            for key, value in update.items()
            if key in known
        )
    if _is_pairs(update):
        return tuple(
            (key if type(key) is str else as_name(key), value)
            for key, value in update
            if key in known
        )
    _refuse_foreign(name, update)
    if (writes := _of_fields(update, known)) is not None:
        return writes
    wanted = (
        "The input must be a dict of state keys"
        if name == START
        else f"Node '{name}' must return a dict of state keys, a Command, a Send or None"
    )
    msg = f"Expected dict, got {brief(update)}. {wanted}."
    raise InvalidUpdateError(msg)


def _of_fields(update: Any, known: tuple[str, ...]) -> tuple[Write, ...] | None:
    """Return what a dataclass or a model writes; None for anything else."""
    if is_dataclass(update) and not isinstance(update, type):
        return tuple((f.name, getattr(update, f.name)) for f in fields(update) if f.name in known)
    if (model_fields := getattr(type(update), "model_fields", None)) is not None:
        return _model_writes(update, model_fields, known)
    return None


def read_input(keys: ChannelKeys, given: Any) -> tuple[Write, ...]:
    """Return what an input writes to the channels ``keys`` of a graph that has no START.

    Raises TypeError for what is no dict of several, EmptyInputError for one that has none of them.
    """
    if isinstance(keys, str):
        return ((keys, given),)
    if not isinstance(given, Mapping):
        msg = f"Expected a dict as input, with values of {', '.join(keys)}, not {brief(given)}."
        raise TypeError(msg)
    if unknown := [str(key) for key in given if key not in keys]:
        log.warning("The input has %s, which is no input channel: left out.", ", ".join(unknown))
    writes = tuple((key, given[key]) for key in keys if key in given)
    if not writes:
        msg = f"Received no input for {', '.join(keys)}."
        raise EmptyInputError(msg)
    return writes


def plain_input(given: Any, keys: Iterable[str]) -> Any:
    """Return an input as a dict where it is another mapping, a dataclass or a model.

    It says which keys get which values; of what kind it is is not stored, and need not be known
    to whoever reads it. All else stays as it is.
    """
    known = tuple(keys)
    if type(given) is dict or known == (ROOT,):
        return given
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, Command) or foreign(given):
        return given
    writes = _of_fields(given, known)
    return given if writes is None else dict(writes)


def plain_command(command: Command[Any]) -> Command[Any]:
    """Return a command for another graph with its update as a dict where that has fields.

    So it can be stored by whoever does not know the class: this graph's state need not name it.
    """
    update: Any = command.update
    named = getattr(type(update), "model_fields", ())
    if is_dataclass(update) and not isinstance(update, type):
        named = [field.name for field in fields(update)]
    writes = _of_fields(update, tuple(named)) if named else None
    return command if writes is None else replace(command, update=dict(writes))


def taken_from_inside(graph: Graph, name: str, command: Command[Any]) -> Command[Any]:
    """Return a command with which the graph in node ``name`` left to this one as its node's own.

    Raises InvalidUpdateError where it updates something, and nothing that this graph has: keys that
    both have may come with others, as they may from every node.
    """
    update: Any = command.update
    pairs = update if _is_pairs(update) else ()
    named = update if isinstance(update, Mapping) else dict(pairs)
    if named and ROOT not in graph.channels and graph.channels.keys().isdisjoint(named):
        given, known = (", ".join(map(str, keys)) for keys in (named, graph.channels))
        msg = (
            f"The graph in node '{name}' was left by a command that updates {given}, "
            f"which the graph around does not have. Its state keys are: {known}."
        )
        raise InvalidUpdateError(msg)
    return replace(command, graph=None)


def _refuse_foreign(name: str, given: Any) -> None:
    """Raise InvalidUpdateError for what is LangGraph's, whose fields are no state keys."""
    if advised := foreign(given):
        msg = f"Node '{name}' returned something that says nothing here. {advised}"
        raise InvalidUpdateError(msg)


def _is_pairs(update: Any) -> bool:
    return (
        isinstance(update, list | tuple)
        and all(
            isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)  # noqa: PLR2004
            for pair in update
        )
        and bool(update)
    )


def _model_writes(model: Any, model_fields: Any, known: tuple[str, ...]) -> tuple[Write, ...]:
    """Leave out fields that nobody set and that are still None, as LangGraph does."""
    chosen = model.model_fields_set
    return tuple(
        (key, value)
        for key in known
        if (value := getattr(model, key, MISSING)) is not MISSING
        and (value is not None or key in chosen or model_fields[key].default is not None)
    )


def read_targets(graph: Graph, name: str, goto: Any) -> tuple[Target, ...]:
    """Return the nodes and Sends in a ``goto``; END is dropped, unknown nodes raise."""
    targets = goto if isinstance(goto, list | tuple) else (goto,)
    return tuple(t for target in targets if (t := _target(graph, name, target)) != END)


def _target(graph: Graph, name: str, target: Any) -> Target:
    node = target.node if isinstance(target, Send) else target
    if isinstance(target, Send) and node == END:
        msg = "Cannot send a packet to the END node"
        raise InvalidUpdateError(msg)
    if not isinstance(node, str):
        wanted = foreign(node) or "A node name or a Send is needed."
        msg = f"Node '{name}' named {brief(node)} as its goto. {wanted}"
        raise InvalidUpdateError(msg)
    if node == START or (node != END and node not in graph.nodes):
        raise InvalidUpdateError(_unknown(graph, name, node))
    if isinstance(target, Send):
        return target
    return node if type(node) is str else as_name(node)


def _unknown(graph: Graph, name: str, node: str) -> str:
    known = ", ".join(sorted(n for n in graph.nodes if n != START))
    return f"Node '{name}' goes to an unknown node '{node}'. The graph's nodes are: {known}."


def _end(name: str, ends: Mapping[Any, str], value: Any) -> str:
    """Return where the path map ``ends`` leads with what the path of node ``name`` chose."""
    try:
        return ends[value]
    except KeyError:
        known = ", ".join(map(repr, ends))
        msg = f"The path of node '{name}' chose {shortly(value)}; its path map has only {known}."
        raise KeyError(msg) from None
    except TypeError:  # unhashable, which no key is
        msg = (
            f"The path of node '{name}' chose {brief(value)}, which can be no key of its path map: "
            f"it returns one of the keys, a Send, or a list of them. {foreign(value)}"
        )
        raise InvalidUpdateError(msg.rstrip()) from None


def read_path(graph: Graph, name: str, branch: Branch, chosen: Any) -> tuple[Target, ...]:
    """Return the targets that a path function chose.

    Raises KeyError for a value that the path map lacks, ValueError for None or START, and
    InvalidUpdateError for what is no name, for an unknown node or a Send to END.
    """
    values = chosen if isinstance(chosen, list | tuple) else [chosen]
    ends = branch.ends
    mapped = [v if isinstance(v, Send) or ends is None else _end(name, ends, v) for v in values]
    if any(v is None or (isinstance(v, str) and v == START) for v in mapped):
        msg = "Branch did not return a valid destination"
        raise ValueError(msg)
    return read_targets(graph, name, mapped)
