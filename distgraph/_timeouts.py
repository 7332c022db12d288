"""How long a node may take, and how long it may show no progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Union

from distgraph._arguments import shortly

Seconds = Union[float, timedelta]  # noqa: UP007 pyright knows it as a type so
BLOCKS = (
    "Timeouts are only supported for async nodes, since blocking code cannot be stopped in its "
    "process. {} '{}' is sync, or was called so: make it a coroutine function and call the graph "
    "by ainvoke() or astream(), compile the graph with a CeleryBackend, whose workers of processes "
    "end such nodes, or leave the timeout out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutPolicy:
    """Time limits of each attempt at a node, as seconds or a timedelta; None for none.

    ``run_timeout``: how long it may take. ``idle_timeout``: how long it may show no progress, which
    are chunks that it streams, events of graphs and functions that it calls, and
    ``runtime.heartbeat()``; with ``refresh_on="heartbeat"`` that alone. Raises ValueError for a
    limit that is not above 0, TypeError for what is no time.
    """

    run_timeout: Seconds | None = None
    idle_timeout: Seconds | None = None
    refresh_on: Literal["auto", "heartbeat"] = "auto"

    def __post_init__(self) -> None:
        for name in ("run_timeout", "idle_timeout"):
            object.__setattr__(self, name, seconds_of(name, getattr(self, name)))
        if self.refresh_on not in ("auto", "heartbeat"):
            msg = f"refresh_on must be 'auto' or 'heartbeat', not {shortly(self.refresh_on)}."
            raise ValueError(msg)

    @classmethod
    def coerce(cls, value: Seconds | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """Return the policy that a ``timeout=`` means: a bare time is a ``run_timeout``.

        None where nothing is limited.
        """
        policy = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
        return policy if policy.run_timeout or policy.idle_timeout else None


Timeout = Union[float, timedelta, TimeoutPolicy, None]  # noqa: UP007 as above


def seconds_of(name: str, given: Any) -> float | None:
    """Return a limit in seconds; TypeError for what is no time, ValueError for none above 0."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | timedelta):
        msg = f"{name} must be seconds or a timedelta, not {shortly(given)}."
        raise TypeError(msg)
    seconds = given.total_seconds() if isinstance(given, timedelta) else float(given)
    if not seconds > 0:
        msg = f"{name} must be greater than 0, not {shortly(given)}."
        raise ValueError(msg)
    return seconds
