"""The running task's frame: the one context variable of distgraph."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from distgraph._deadline import Deadline
    from distgraph._response import Response


class Frame(Protocol):
    """What code called from inside a node may ask of the task that runs it."""

    def ask(
        self, value: Any, deadline: Deadline | None = None, response: Response | None = None
    ) -> Any:
        """Return the answer to the next question of this task, or raise GraphInterrupt.

        Raises InterruptTimeout where nobody answered in time, and nothing stands for an answer, and
        what ``response`` raises for an answer that does not fit.
        """
        ...

    def emit(self, chunk: Any) -> None:
        """Stream ``chunk`` in the custom mode."""
        ...

    def call(self, node: Any, given: Any) -> Any:
        """Begin a call of the function that ``node`` runs; return a future of what it returns."""
        ...

    def state(self) -> Any:
        """Return what the node would be given if an edge led to it."""
        ...

    @property
    def runtime(self) -> Any:
        """What the node would get as its ``runtime`` parameter."""
        ...

    @property
    def config(self) -> dict[str, Any]:
        """The config that the node was started with."""
        ...


_running: ContextVar[Frame | None] = ContextVar("distgraph_frame", default=None)


def running() -> Frame | None:
    """Return the frame of the task that runs here, or None outside of a node."""
    return _running.get()


def current(what: str) -> Frame:
    """Return the running task's frame; RuntimeError that names ``what`` outside of a node."""
    frame = _running.get()
    if frame is None:
        msg = f"{what} was called outside of a node: there is no run that it could belong to."
        raise RuntimeError(msg)
    return frame


class Entered:
    """Makes ``frame`` the running one for the duration of a block; once."""

    __slots__ = ("_frame", "_token")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __enter__(self) -> None:
        self._token = _running.set(self._frame)

    def __exit__(self, *_: object) -> None:
        _running.reset(self._token)
