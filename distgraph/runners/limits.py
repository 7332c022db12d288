"""Time limits of attempts whose code is a coroutine: nothing else can be stopped in a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from distgraph._timeouts import BLOCKS, TimeoutPolicy
from distgraph.core.beside import TIMED_OUT
from distgraph.errors import NodeTimeoutError


class TimeLimit:
    """Ends one attempt at a node that takes too long, or that shows no progress for too long."""

    def __init__(self, node: str, policy: TimeoutPolicy, left: float | None = None) -> None:
        self._node, self._left = node, left
        self._run, self._idle = _number(policy.run_timeout), _number(policy.idle_timeout)
        self._is_auto = policy.refresh_on == "auto"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quiet: asyncio.Timeout | None = None

    async def keep(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what ``work`` returns; NodeTimeoutError, once it was cancelled for its time.

        TimeoutError where that of its superstep was over.
        """
        loop = self._loop = asyncio.get_running_loop()
        began = loop.time()
        total, quiet = asyncio.timeout(self._run), asyncio.timeout(self._idle)
        step = asyncio.timeout(self._left)
        try:
            async with step, total, quiet:
                self._quiet = quiet
                return await work
        except TimeoutError as late:
            if step.expired():
                raise TimeoutError(TIMED_OUT) from late.__cause__
            if not (total.expired() or quiet.expired()):
                raise
            taken = loop.time() - began
            kind: Literal["idle", "run"] = "idle" if quiet.expired() else "run"
            limits = {"idle_timeout": self._idle, "run_timeout": self._run}
            raise NodeTimeoutError(self._node, taken, kind=kind, **limits) from late.__cause__
        finally:
            self._quiet = None

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` returns; ValueError for a limit: nothing can stop what blocks."""
        if self._run is None and self._idle is None:
            return work()
        raise ValueError(BLOCKS.format("Node", self._node))

    def beat(self) -> None:
        """Take note of progress; from any thread."""
        if self._idle is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._put_off)

    def progressed(self) -> None:
        """Take note of progress that the node does not tell itself."""
        if self._is_auto:
            self.beat()

    def noting(self, tell: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return ``tell``, which shows progress."""

        def telling(told: Any) -> None:
            self.progressed()
            tell(told)

        return telling if self._is_auto and self._idle is not None else tell

    def _put_off(self) -> None:
        quiet, loop = self._quiet, self._loop
        if quiet is not None and loop is not None and self._idle and not quiet.expired():
            quiet.reschedule(loop.time() + self._idle)


def _number(given: Any) -> float | None:
    """Return a limit in seconds, which the policy has made of it."""
    return None if given is None else float(given)
