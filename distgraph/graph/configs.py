"""What a caller's config says: which thread, which checkpoint, and how far a run may go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from distgraph._arguments import shortly
from distgraph.checkpoint.base.config import MAPPINGS
from distgraph.runners.backend import Place

DEFAULT_RECURSION_LIMIT = 10007
MAX_THREAD_ID = 65_536
_EXAMPLE = "{'configurable': {'thread_id': '...'}}"
_MERGED = ("configurable", "metadata")
_SECRETS = ("key", "token", "secret", "password", "auth")
COORDINATES = ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map")


def merge_configs(*configs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return one config; later ones win, ``configurable`` and ``metadata`` are merged by key.

    Tags and callbacks of all of them stay.
    """
    merged: dict[str, Any] = {}
    for config in configs:
        for key, value in _checked(config).items():
            if key in _MERGED:
                merged[key] = {**merged.get(key, {}), **(value or {})}
            elif key == "tags":
                merged[key] = [*merged.get(key, []), *(value or [])]
            elif key == "callbacks":
                merged[key] = _all_callbacks(merged.get(key), value)
            else:
                merged[key] = value
    return merged


def _all_callbacks(first: Any, second: Any) -> Any:
    """Return the callbacks of both: each a list of handlers, or a manager that has some."""
    if not first or not second:
        return first or second
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return [*first, *second]
    if hasattr(first, "handlers") and hasattr(second, "handlers"):
        return first.merge(second)
    manager, handlers = (first, second) if hasattr(first, "handlers") else (second, first)
    both = manager.copy()
    for handler in handlers:
        both.add_handler(handler, inherit=True)
    return both


def inherited(around: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a call inside a task: ``config`` on top of that of the task.

    A graph that is a node is called with the config of its task, whose tags are not doubled.
    Callbacks of the call stand in place of those of the task.
    """
    if config.get("callbacks"):
        around = {key: value for key, value in around.items() if key != "callbacks"}
    known = around.get("tags") or ()
    own = [tag for tag in config.get("tags") or () if tag not in known]
    return merge_configs(around, {**config, "tags": own} if own or known else config)


def _checked(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    given: Any = {} if config is None else config
    if not isinstance(given, MAPPINGS):
        msg = f"config must be a dict such as {_EXAMPLE}, not {shortly(given)}."
        raise TypeError(msg)
    for key in _MERGED:
        if not isinstance(given.get(key) or {}, MAPPINGS):
            msg = f"config['{key}'] must be a dict, as in {_EXAMPLE}, not {shortly(given[key])}."
            raise TypeError(msg)
    if not isinstance(given.get("tags") or [], list | tuple):
        msg = f"config['tags'] must be a list of strings, not {shortly(given['tags'])}."
        raise TypeError(msg)
    return given


def place_of(config: Mapping[str, Any], unnamed: Callable[[], str]) -> Place:
    """Return the coordinates in ``config``, on the thread ``unnamed()`` when it names none.

    Raises ValueError for an empty or overlong thread id, and what ``unnamed`` raises.
    """
    given: Mapping[str, Any] = config.get("configurable", {})
    thread = given.get("thread_id")
    if thread is None:
        return Place(unnamed())
    thread = str(thread)
    if not 0 < len(thread) <= MAX_THREAD_ID:
        msg = f"A thread_id has 1 to {MAX_THREAD_ID} characters; this one has {len(thread)}."
        raise ValueError(msg)
    return Place(thread, _text(given, "checkpoint_ns"), _text(given, "checkpoint_id"))


def names_thread(config: Mapping[str, Any]) -> bool:
    """Whether ``config`` says which thread a call is about."""
    return config.get("configurable", {}).get("thread_id") is not None


def ns_of(config: Mapping[str, Any]) -> str:
    """Return the namespace of the frame that ``config`` names, '' for the root."""
    return _text(config.get("configurable", {}), "checkpoint_ns")


def on_thread(config: dict[str, Any], thread_id: str) -> dict[str, Any]:
    """Return ``config``, naming ``thread_id`` unless it names a thread itself."""
    if names_thread(config):
        return config
    given = config.get("configurable", {})
    return {**config, "configurable": {**given, "thread_id": thread_id}}


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key) or ""
    if not isinstance(value, str):
        msg = f"config['configurable']['{key}'] must be a string, not {shortly(value)}."
        raise TypeError(msg)
    return value


def older_than(before: Mapping[str, Any] | None) -> str:
    """Return the checkpoint id in ``before``, '' for none; TypeError for what is no config."""
    return _text(merge_configs(before).get("configurable", {}), "checkpoint_id")


def root_place(config: Mapping[str, Any], unnamed: Callable[[], str]) -> Place:
    """Return where a run of a whole graph begins.

    A config of a graph inside it names its thread, and by its ``checkpoint_map`` the checkpoint of
    the root. Raises what ``place_of`` raises.
    """
    place = place_of(config, unnamed)
    if not place.ns:
        return place
    return Place(place.thread_id, "", checkpoint_map(config).get("", ""))


def checkpoint_map(config: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the checkpoint of each frame that ``config`` names: ns -> id."""
    found: Any = config.get("configurable", {}).get("checkpoint_map") or {}
    if isinstance(found, Mapping) and all(
        isinstance(ns, str) and isinstance(cp, str) for ns, cp in found.items()
    ):
        return found
    msg = (
        "config['configurable']['checkpoint_map'] must be a dict of namespaces and checkpoint ids, "
        f"not {shortly(found)}."
    )
    raise TypeError(msg)


def recursion_limit(config: Mapping[str, Any]) -> int:
    """Return the recursion limit of a run; ValueError when it is less than 1."""
    limit: Any = config.get("recursion_limit", _default_limit())
    if not _is_count(limit):
        msg = f"recursion_limit must be a whole number of at least 1, not {limit!r}."
        raise ValueError(msg)
    return limit


def _default_limit() -> int | str:
    given = os.environ.get("DISTGRAPH_RECURSION_LIMIT", "")
    return int(given) if given.isdecimal() else given or DEFAULT_RECURSION_LIMIT


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def max_concurrency(config: Mapping[str, Any]) -> int | None:
    """Return how many tasks may run at once, None for no limit; ValueError when less than 1."""
    limit: Any = config.get("max_concurrency")
    if limit is None or _is_count(limit):
        return limit
    msg = f"max_concurrency must be a whole number of at least 1, not {limit!r}."
    raise ValueError(msg)


def checkpoint_metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a config goes into the metadata of its checkpoints and messages.

    That is every plain scalar of its ``metadata`` and, where that has no such key, of its
    ``configurable``; not what is the library's own, nor what the name tells to be a secret.
    """
    configurable = config.get("configurable", {}).items()
    found = {
        key: value
        for key, value in configurable
        if key not in COORDINATES and not _names_secret(key)
    }
    return {
        key: value
        for key, value in {**found, **config.get("metadata", {})}.items()
        if isinstance(value, str | int | float | bool)
        and isinstance(key, str)
        and not key.startswith(("__", "langgraph_"))
        and key not in COORDINATES
    }


def _names_secret(key: Any) -> bool:
    """Whether a configurable is a secret by its name; what is in ``metadata`` is there to be seen.

    LangGraph keeps the same ones from the metadata of messages, and has them in checkpoints.
    """
    name = str(key).casefold()
    return any(word in name for word in _SECRETS)
