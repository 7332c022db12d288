"""What makes a graph whole: known nodes, an entry, legal names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, get_origin
from uuid import UUID

from distgraph._arguments import names_of, shortly
from distgraph._caching import CachePolicy
from distgraph._foreign import foreign
from distgraph.core.model import END, START
from distgraph.graph.blueprint import Blueprint
from distgraph.types import RetryPolicy

_RESERVED = ("|", ":")
HIGHEST = 9
"""The priority of what is to be run first."""
LONGEST_BY = 255
"""So many characters may say who starts a run, or answers."""
LONGEST_RUN_ID = 100
_RUN_ID = re.compile(f"[!-~]{{1,{LONGEST_RUN_ID}}}")


def check_schema(schema: Any) -> None:
    """Raise TypeError for something that is not a type."""
    named = hasattr(schema, "__supertype__") or hasattr(schema, "__value__")
    if not isinstance(schema, type) and get_origin(schema) is None and not named:
        msg = (
            "A schema must be a TypedDict, a dataclass or a pydantic class, or a type such as "
            f"Annotated[list, operator.add], not {shortly(schema)}."
        )
        raise TypeError(msg)


def policies_of(given: RetryPolicy | Sequence[RetryPolicy] | None) -> tuple[RetryPolicy, ...]:
    """Return the retry policies of a node; TypeError for one that cannot be used."""
    is_list = isinstance(given, Sequence) and not isinstance(given, RetryPolicy)
    several: Any = given if is_list else () if given is None else (given,)
    policies: tuple[RetryPolicy, ...] = tuple(several)
    for policy in policies:
        if not isinstance(policy, RetryPolicy):
            msg = f"retry_policy must be a RetryPolicy or a list of them, not {policy!r}."
            raise TypeError(msg)
        policy.check()
    return policies


def checked_store(store: Any) -> Any:
    """Return what was given as a store; TypeError for what is none."""
    if store is None:
        return None
    from distgraph.store.base import BaseStore  # noqa: PLC0415 few graphs have one

    if not isinstance(store, BaseStore):
        msg = f"store must be a BaseStore, such as InMemoryStore, not {shortly(store)}."
        raise TypeError(msg)
    return store


def checked_cache(cache: Any) -> Any:
    """Return what was given as a cache; TypeError for what is none."""
    if cache is None:
        return None
    from distgraph.cache.base import BaseCache  # noqa: PLC0415 few graphs have one

    if not isinstance(cache, BaseCache):
        msg = f"cache must be a BaseCache, such as InMemoryCache, not {shortly(cache)}."
        raise TypeError(f"{msg} {foreign(cache)}".rstrip())
    return cache


def checked_policy(policy: CachePolicy | None) -> CachePolicy | None:
    """Return a cache policy; TypeError for what is none."""
    if policy is not None and not isinstance(policy, CachePolicy):
        msg = f"cache_policy must be a CachePolicy, not {shortly(policy)}."
        raise TypeError(f"{msg} {foreign(policy)}".rstrip())
    return policy


def check_dispatch(name: str, queue: str, priority: int) -> None:
    """Raise ValueError for what cannot be said of the tasks of the node ``name``."""
    check_text(f"queue of node '{name}'", queue)
    if priority not in range(HIGHEST + 1):
        msg = f"priority of node '{name}' must be 0 to {HIGHEST}, not {priority}."
        raise ValueError(msg)


def check_text(what: str, text: str) -> None:
    """Raise ValueError for half a character: a lone surrogate, which UTF-8 has not got."""
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = (
            f"{what} {text!a} has a lone surrogate, which is half a character: keys and messages "
            "cannot hold it. It often comes from bytes that were read as if they were text."
        )
        raise ValueError(msg) from None


def check_by(call: str, by: str | None) -> str:
    """Return who is behind a ``call``, '' for None; ValueError for what is no short text."""
    if by is None:
        return ""
    if len(by) > LONGEST_BY:
        msg = (
            f"by of {call}() has {len(by):,} characters, and may have {LONGEST_BY}: give a name or "
            "an id, and what else there is to say as config['metadata']."
        )
        raise ValueError(msg)
    check_text(f"by of {call}()", by)
    return by


def check_run_id(call: str, run_id: str | UUID | None) -> str:
    """Return the id that a caller chose for a run, '' for None; ValueError for another form."""
    if run_id is None:
        return ""
    if not _RUN_ID.fullmatch(str(run_id)):
        msg = (
            f"run_id of {call}() must be a UUID, or 1 to {LONGEST_RUN_ID} visible ASCII characters "
            f"without spaces, not {shortly(run_id)}."
        )
        raise ValueError(msg)
    return str(run_id)


def check_name(name: Any, taken: Collection[str]) -> None:
    """Raise TypeError for what is no name, ValueError for one that is taken or reserved."""
    if not isinstance(name, str):
        msg = f"The name of a node must be a string, not {shortly(name)}."
        raise TypeError(msg)
    if not name:
        msg = "The name of a node must not be empty."
        raise ValueError(msg)
    check_text("The name of a node", name)
    if name in (START, END):
        msg = f"Node `{name}` is reserved."
        raise ValueError(msg)
    if name in taken:
        msg = f"Node `{name}` already present."
        raise ValueError(msg)
    for character in _RESERVED:
        if character in name:
            msg = f"'{character}' is a reserved character and is not allowed in the node names."
            raise ValueError(msg)


def check(blueprint: Blueprint, stops: Iterable[str]) -> None:
    """Raise ValueError for an edge or breakpoint to an unknown node, or for no entry."""
    for source in sorted(_sources(blueprint)):
        if source not in blueprint.nodes and source != START:
            msg = f"Found edge starting at unknown node '{source}'"
            raise ValueError(msg)
    if START not in _sources(blueprint):
        msg = "Graph must have an entrypoint: add at least one edge from START to another node"
        raise ValueError(msg)
    for end in sorted(
        {end for _, end in blueprint.edges} | {e for _, e in blueprint.waiting_edges}
    ):
        if end not in blueprint.nodes and end != END:
            msg = f"Found edge ending at unknown node `{end}`"
            raise ValueError(msg)
    if blueprint.defaults.handler and blueprint.defaults.handler.name in blueprint.nodes:
        msg = (
            f"A node is called '{blueprint.defaults.handler.name}', as the error handler of "
            "set_node_defaults is: give it another name."
        )
        raise ValueError(msg)
    _check_branches(blueprint)
    _check_destinations(blueprint)
    for stop in stops:
        if stop not in blueprint.nodes:
            msg = f"Interrupt node `{stop}` not found"
            raise ValueError(msg)


def _sources(blueprint: Blueprint) -> set[str]:
    joined = {name for starts, _ in blueprint.waiting_edges for name in starts}
    return {start for start, _ in blueprint.edges} | joined | set(blueprint.branches)


def _check_branches(blueprint: Blueprint) -> None:
    for source, branches in blueprint.branches.items():
        for name, branch in branches.items():
            for end in (branch.ends or {}).values():
                if end not in blueprint.nodes and end != END:
                    msg = f"At '{source}' node, '{name}' branch found unknown target '{end}'"
                    raise ValueError(msg)


def _check_destinations(blueprint: Blueprint) -> None:
    for name, node in blueprint.nodes.items():
        for end in node.destinations or ():
            if end not in blueprint.nodes and end != END:
                msg = f"Found edge ending at unknown node `{end}`: a destination of node '{name}'."
                raise ValueError(msg)


def check_stops(
    nodes: Collection[str],
    stops: str | Sequence[str] | None,
    handlers: Collection[str] = (),
    hidden: Collection[str] = (),
) -> frozenset[str]:
    """Return the nodes that a breakpoint argument names: None, "*", ["*"], or a list of names.

    ``handlers`` may be named too; as in LangGraph a run stops after one, and not before it. "*"
    names no ``hidden`` ones.
    """
    names = names_of(() if stops is None else stops)
    if "*" in names:
        return frozenset(nodes) - {START, *hidden}
    for name in names:
        if name not in nodes and name not in handlers:
            msg = f"Interrupt node `{name}` not found"
            raise ValueError(msg)
    return frozenset(names)
