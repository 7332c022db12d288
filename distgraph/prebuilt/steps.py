"""Nodes that are written once: what they do is a conversation, carried blocking or on a loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from distgraph._frame import running
from distgraph._runtime import DEFAULT_RUNTIME, Runtime
from distgraph.effects import acarry, carry
from distgraph.errors import GraphBubbleUp
from distgraph.graph.callees import callee_of


@dataclass(frozen=True, slots=True)
class UserCall:
    """A call of somebody's code, in the form that blocks, or in that which is awaited, or both."""

    call: Callable[[], Any] | None
    acall: Callable[[], Awaitable[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Conversations to be carried beside one another, so many at a time; 0: all of them."""

    steps: Sequence[NodeSteps]
    width: int = 0


NodeSteps = Generator[UserCall | Beside, Any, Any]


class SteppedNode:
    """A node, which can be called outside of a graph as well: ``invoke(input, config)``."""

    name: str

    def get_name(self) -> str:
        """Return the name that it has in a graph, unless it is given another."""
        return self.name

    def invoke(self, input: Any, config: Any = None, **_more: Any) -> Any:  # noqa: A002 the name is langchain-core's
        """Do its work, blocking."""
        return carry(self._steps(input, config or {}, _runtime()), perform)

    async def ainvoke(self, input: Any, config: Any = None, **_more: Any) -> Any:  # noqa: A002 as above
        """Do its work on the caller's loop."""
        return await acarry(self._steps(input, config or {}, _runtime()), aperform)

    def _steps(self, given: Any, config: Any, runtime: Runtime[Any]) -> NodeSteps:
        raise NotImplementedError


def _runtime() -> Runtime[Any]:
    frame = running()
    return DEFAULT_RUNTIME if frame is None else frame.runtime


def invoked(runnable: Any, given: Any, config: Any) -> UserCall:
    """Return the call of something that has ``invoke``, and ``ainvoke`` perhaps."""
    awaited = getattr(runnable, "ainvoke", None)
    return UserCall(
        lambda: runnable.invoke(given, config),
        None if awaited is None else lambda: awaited(given, config),
    )


def called(action: Any, name: str, given: Any, config: Any, runtime: Runtime[Any]) -> UserCall:
    """Return the call of a function, or of a runnable, with what it asks for as a node does."""
    callee = callee_of(action, name)
    known = {
        "config": config,
        "runtime": runtime,
        "store": runtime.store,
        "writer": runtime.stream_writer,
    }
    more = {argument: known[what] for argument, what in callee.wants.items()}
    call, acall = callee.call, callee.acall
    return UserCall(
        None if call is None else lambda: call(given, **more),
        None if acall is None else lambda: acall(given, **more),
    )


def perform(need: UserCall | Beside) -> Any:
    """Do what a conversation needs, blocking; what runs together does in threads."""
    if isinstance(need, Beside):
        return _outcome([_carried(each) for each in need.steps] if _is_one(need) else _beside(need))
    if need.call is None:
        msg = "This can only be awaited: call the graph by ainvoke or astream."
        raise TypeError(msg)
    return need.call()


async def aperform(need: UserCall | Beside) -> Any:
    """Do what a conversation needs, on the loop; what can only block does in a thread."""
    import asyncio  # noqa: PLC0415 who calls this has it

    if isinstance(need, Beside):
        if _is_one(need):
            return _outcome([await _acarried(each) for each in need.steps])
        return _outcome(await asyncio.gather(*map(_acarried, need.steps)))
    if need.acall is not None:
        return await need.acall()
    assert need.call is not None
    return await asyncio.to_thread(need.call)


@dataclass(frozen=True, slots=True)
class _Raised:
    """What one of several conversations has raised."""

    error: BaseException


def _is_one(need: Beside) -> bool:
    return len(need.steps) == 1


def _beside(need: Beside) -> list[Any]:
    width = min(need.width or len(need.steps), len(need.steps))
    with ThreadPoolExecutor(max(width, 1)) as pool:
        begun = [pool.submit(copy_context().run, _carried, each) for each in need.steps]
        return [each.result() for each in begun]


def _carried(steps: NodeSteps) -> Any:
    try:
        return carry(steps, perform)
    except BaseException as error:  # noqa: BLE001 raised again once all are over
        return _Raised(error)


async def _acarried(steps: NodeSteps) -> Any:
    try:
        return await acarry(steps, aperform)
    except (Exception, GraphBubbleUp) as error:  # noqa: BLE001 as above; a cancellation is for all
        return _Raised(error)


def _outcome(left: list[Any]) -> list[Any]:
    """Return what all have left, or raise the first error; all questions, where that is one."""
    raised = [each.error for each in left if isinstance(each, _Raised)]
    if not raised:
        return left
    signals = [error for error in raised if isinstance(error, GraphBubbleUp)]
    if len(signals) > 1 and raised[0] is signals[0]:
        msg = "several calls left their node"
        raise BaseExceptionGroup(msg, signals)
    raise raised[0]
