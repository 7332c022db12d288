"""The calls of one attempt: of functions that others find by name, and of graphs of the backend.

Whoever waits for one that has no result leaves the attempt's body, which runs again from its top
once all of its calls have ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, Final, NoReturn, Protocol

from distgraph.core.frame import CallArguments, TaskFrame, discard
from distgraph.core.graph import Graph, Node
from distgraph.core.model import Completed, Interrupted, Result
from distgraph.errors import SerializationError
from distgraph.events import FunctionCalled
from distgraph.graph.held import note_call
from distgraph.runners.functions import FunctionCall, TellCalls, resolve
from distgraph.runners.futures import SyncAsyncFuture

from ..shared.functions import calls_in
from ..shared.graphcalls import as_stored
from .attempt import Attempt
from .awaited import Expected, LeavingFuture
from .called import LeftToOthers
from .calls import CallsWish, MadeCalls
from .failures import told_to_end

log: Final = logging.getLogger(__name__)
QUIET = 3
"""So many turns of the loop without a new call, and a body is taken to wait: what it has begun may
call functions too."""


class InPlace(Protocol):
    """Makes calls in this process."""

    def call(self, caller: TaskFrame, node: Node, given: CallArguments) -> FunctionCall:
        """Return the next call of an attempt."""
        ...

    def make(self, call: FunctionCall) -> Any:
        """Have a call made; return a future of what it returns."""
        ...


class Dispatching:
    """Takes the calls of an attempt; ``here`` makes those that are not left to others.

    ``tell`` is told of these that they begin.
    """

    def __init__(
        self, attempt: Attempt, calls: MadeCalls, here: InPlace, tell: TellCalls | None
    ) -> None:
        self._attempt, self._calls, self._here = attempt, calls, here
        self._tell_calls = tell
        self._waits = False
        self._emit = attempt.frame.emit
        if self._emit is not discard:
            attempt.frame.emit = self._show

    @cached_property
    def _graph(self) -> Graph:
        """What may be called that others find."""
        opened, attempt = self._attempt.opened, self._attempt
        return calls_in(opened.served, attempt.graph, attempt.node)

    def _show(self, chunk: Any) -> None:
        """Stream a chunk of the body once, however often that runs."""
        if self._calls.shows():
            self._emit(chunk)

    def begin(self, caller: TaskFrame, node: Node, given: CallArguments) -> Any:
        """Begin a call; the signal is raised where the body was left."""
        if self._waits:
            raise LeftToOthers
        call = self._here.call(caller, node, given)
        if not self._is_found(caller, node):
            return self._here.make(call)
        left = self._calls.left(call.task)
        if left is None and not self._noted(call):
            return self._here.make(call)
        if self._tell_calls is not None:
            self._tell_calls(FunctionCalled(caller.ns, call.task, call.graph))
        return self.future(call, left)

    def begin_graph(self, caller: TaskFrame, called: Any, given: CallArguments) -> Any | None:
        """Begin a call of a graph; None where it runs in the job of its caller.

        That is so for what runs there itself, and is given what cannot be stored.
        """
        call = self._graph_call(caller, called, given)
        left = self._left(call) if call else None
        return Dispatching.future(self, call, *left) if call and left else None

    async def abegin_graph(self, caller: TaskFrame, called: Any, given: CallArguments) -> Any:
        """Do what ``begin_graph`` does."""
        return self.begin_graph(caller, called, given)

    def _graph_call(
        self, caller: TaskFrame, called: Any, given: CallArguments
    ) -> FunctionCall | None:
        """Return the next call of an attempt, of a graph that others find."""
        if self._waits:
            raise LeftToOthers
        if caller is not self._attempt.frame:
            return None
        node = self._graph.nodes.get(called.graph.name)
        if node is None or node.callee.graph is not called.graph:
            raise ValueError(not_found(called.graph.name, self._attempt.label, node))
        note_call(caller, node.callee.graph, None)
        return self._here.call(caller, node, given)

    def _left(self, call: FunctionCall) -> tuple[Result | None] | None:
        """Return what a call of a graph has left, if anything yet; None: it is to be made here."""
        left = self._calls.left(call.task)
        return (left,) if left is not None or self._noted(call) else None

    def _is_found(self, caller: TaskFrame, node: Node) -> bool:
        """Whether others find the function; what one calls that runs here runs here, too."""
        if caller is not self._attempt.frame:
            return False
        known = self._graph.nodes.get(node.name)
        if known is not None and known.callee is node.callee:
            return True
        self._tell(node.name, "is no name of the module of its caller, or not the only one there")
        return False

    def _noted(self, call: FunctionCall) -> bool:
        try:
            self._calls.note(as_stored(call.task, self._graph.nodes[call.task.node]), self._graph)
        except SerializationError as error:
            self._tell(call.task.node, f"was given what cannot be stored: {error}")
            return False
        return True

    def _tell(self, name: str, why: str) -> None:
        office = self._attempt.opened.desk.office
        told = f"{self._attempt.label} {name}"
        if told not in office.in_place:
            office.in_place.add(told)
            log.warning(
                "Task '%s' runs in the job of '%s', which calls it: it %s. Further calls are not "
                "told of.",
                name,
                self._attempt.label,
                why,
            )

    @property
    def has_left(self) -> bool:
        """Whether the body was left because it waits."""
        return self._waits

    def future(self, call: FunctionCall, left: Result | None) -> Any:
        """Return a future of a call, with what is left of it."""
        future = LeavingFuture(self.leave)
        if left is not None:
            resolve(call, future, left)
        return future

    def leave(self) -> NoReturn:
        """Leave the body, which waits."""
        self._waits = True
        raise LeftToOthers

    def settled(self, result: Result) -> Result:
        """Return what becomes of a body that has ended with ``result``, or was left.

        What is left to others is what its attempt wishes.
        """
        if told_to_end(result) is not None or not (self._waits or isinstance(result, Completed)):
            return self._calls.as_recorded(result)
        match self._calls.leave():
            case CallsWish() as wish:
                self._attempt.called.wish = wish
                return result
            # What a call asks for which nobody waits is dropped, as in process.
            case Interrupted() as asked if self._waits:
                return asked
            case _:
                return result


def not_found(name: str, caller: str, function: Node | None) -> str:
    """Return what is told who calls a graph that others would not find."""
    if function is not None:
        return (
            f"'{caller}' calls graph '{name}' with distributed=True, whose name a task() in the "
            "module of its caller has too, or another graph: compile it under another name."
        )
    return (
        f"'{caller}' calls graph '{name}' with distributed=True, which is not registered at its "
        "backend, where workers would find it: compile it with the same backend=... and a name "
        "and call that, or leave out distributed=."
    )


class LoopDispatching(Dispatching):
    """Does so on an event loop, where the task ``body`` runs the body."""

    def __init__(
        self, attempt: Attempt, calls: MadeCalls, here: Any, tell: TellCalls | None
    ) -> None:
        super().__init__(attempt, calls, here, tell)
        self._loop, self._looped = asyncio.get_running_loop(), here
        self._looks = False
        self._expected: list[Expected] = []
        self._reading: asyncio.Future[None] | None = None
        self._body: asyncio.Task[Any] | None = None

    async def run(self, body: Coroutine[Any, Any, Result]) -> Result:
        """Run the body, as long as it does not wait.

        In this task, and not in one of its own: what a node does with its task is done with this.
        """
        self._body = task = asyncio.current_task()
        try:
            result = await body
        finally:
            self._body = None
        if self._waits and task is not None and task.cancelling():
            task.uncancel()
        return result

    async def read(self) -> None:
        """Read what is stored of the calls, once, beside the loop; all who wait go on together."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._calls.read))
        await asyncio.shield(self._reading)

    async def abegin_graph(self, caller: TaskFrame, called: Any, given: CallArguments) -> Any:
        """Begin a call of a graph, as ``begin_graph`` does, for who awaits it."""
        call = self._graph_call(caller, called, given)
        if call is not None and self._looped.is_here:
            await self.read()
        left = self._left(call) if call else None
        return self.future(call, *left) if call and left else None

    def future(self, call: FunctionCall, left: Result | None) -> Any:
        """Return a future of a call: one of the loop to who is on it."""
        if not self._looped.is_here:
            return super().future(call, left)
        if left is None:
            self._expected.append(Expected(self._wait))
            return self._expected[-1]
        future: SyncAsyncFuture[Any] = SyncAsyncFuture(_nothing)
        resolve(call, future, left)
        return self._looped.given(future)

    def _wait(self) -> None:
        if not self._looks:
            self._looks = True
            self._loop.call_soon(self._look, len(self._calls.made), QUIET)

    def _look(self, seen: int, turns: int) -> None:
        made = len(self._calls.made)
        turns = turns - 1 if made == seen else QUIET
        if turns:
            self._loop.call_soon(self._look, made, turns)
            return
        self._waits = True
        self._looped.outlive()
        if self._body is not None:
            self._body.cancel()
        # A call that runs here may wait too, which the body's end would wait for.
        for each in self._expected:
            if not each.done():
                each.set_exception(LeftToOthers())
                each.exception()


def _nothing() -> None:
    """Begin nothing: it is done."""
