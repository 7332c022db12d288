"""When what a node or task returned is taken for what it would return again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Says that a node or task is not run again on what it was run on before, if a cache is there.

    ``key_func`` is called with the input of a node, or the arguments of a task, and returns text or
    bytes that are the same for inputs which count as equal; by default inputs count as equal that
    are stored as the same bytes. ``ttl``: seconds for which a result is kept, None for ever.
    """

    key_func: Callable[..., str | bytes] | None = None
    ttl: int | None = None

    def __post_init__(self) -> None:
        if self.key_func is not None and not callable(self.key_func):
            msg = f"key_func of a CachePolicy must be a function, not {self.key_func!r}."
            raise TypeError(msg)
        if self.ttl is not None and (type(self.ttl) is not int or self.ttl < 1):
            msg = f"ttl of a CachePolicy must be a whole number of seconds, not {self.ttl!r}."
            raise ValueError(msg)
