"""Snapshots and configs as plain values in which nothing is left out but what is chance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.parity.observe import Text, error, listed

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PRIVATE = "__pregel_"


class Exactly:
    """Shows values to be compared with those of another engine.

    Ids of checkpoints and tasks become numbers in the order in which they are met, so that what
    refers to one of them has to refer to the same one on both sides.
    """

    def __init__(self) -> None:
        self._met: dict[str, str] = {}
        self._shows: dict[str, Callable[[Any], Any]] = {
            "StateSnapshot": self._snapshot,
            "PregelTask": self._task,
            "Interrupt": lambda asked: {"interrupt": self(asked.value)},
        }

    def __call__(self, value: Any) -> Any:
        """Return `value` as it is compared."""
        if isinstance(value, str):
            return _ID.sub(self._number, value)
        if isinstance(value, Mapping):
            pairs = value.items()
            return {self(k): self(v) for k, v in pairs if not str(k).startswith(_PRIVATE)}
        if type(value) in (list, tuple):
            return type(value)(map(self, value))
        show = self._shows.get(type(value).__name__)
        return show(value) if show else _error(value) if isinstance(value, Exception) else value

    def _number(self, found: re.Match[str]) -> str:
        return self._met.setdefault(found[0], f"<{len(self._met)}>")

    def _snapshot(self, shown: Any) -> dict[str, Any]:
        fields = ("values", "next", "config", "metadata", "parent_config", "interrupts")
        given = {name: getattr(shown, name) for name in fields}
        if not shown.config["configurable"].get("checkpoint_ns"):
            given |= _of_root(given)  # before ids are met: what goes has some of its own
        seen = {name: self(value) for name, value in given.items()}
        dated = shown.created_at is not None
        return {**seen, "dated": dated, "tasks": [self(one) for one in listed(shown)]}

    def _task(self, shown: Any) -> dict[str, Any]:
        fields = ("id", "name", "interrupts", "state", "result")
        seen = {name: self(getattr(shown, name)) for name in fields}
        error = None if shown.error is None else str(shown.error)
        return {**seen, "error": error, "path": self(shown.path[:2])}


def _error(exc: Exception) -> dict[str, Any]:
    name, text = error(exc)
    return {"error": (name, Text(_ID.sub("<id>", text.whole)))}


def _of_root(given: dict[str, Any]) -> dict[str, Any]:
    """What of a snapshot of the root's has to be the same, where it was begun by an inner config.

    The reference leaves in the root's metadata what that said of the graphs inside.
    """
    configs = {name: _unmapped(given[name]) for name in ("config", "parent_config") if given[name]}
    metadata = given["metadata"] and {**given["metadata"], "parents": {}}
    return {**configs, "metadata": metadata}


def _unmapped(config: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in config["configurable"].items() if k != "checkpoint_map"}
    return {**config, "configurable": kept}
