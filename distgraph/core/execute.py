"""Run one attempt at a task: read its input, call the node and its path functions, read what came.

The attempt is written once, as a generator of calls; blocking and asyncio differ in how they call.
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from distgraph import _frame
from distgraph._apart import apart, awaited_apart
from distgraph._foreign import called_foreign
from distgraph._loops import cancellations
from distgraph._message import is_message_dict
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Branch, Callee, Graph, Node
from distgraph.core.handlers import node_of
from distgraph.core.identity import identified
from distgraph.core.merge import merge, updated
from distgraph.core.model import (
    START,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Question,
    Result,
    Task,
)
from distgraph.core.pushing import with_pushed
from distgraph.core.raised import ask_raised
from distgraph.core.recall import Recalled
from distgraph.core.recorded import during, errored, said
from distgraph.core.returns import plain_command, read_path, read_return, taken_from_inside
from distgraph.core.veils import given_in
from distgraph.effects import acarry, carry
from distgraph.errors import (
    GraphBubbleUp,
    GraphInterrupt,
    NodeCancelledError,
    NodeExited,
    ParentCommand,
)

SWALLOWED = (
    "Node '{}' went on after an interrupt() that had no answer yet: something swallowed the "
    "signal. Do not put interrupt() under a bare 'except:' or 'except BaseException:', and have "
    "the node raise what its threads and tasks raise, as a future's result() does."
)
DICT_MESSAGE = (
    "A message that is a dict stays one where the state key is not merged by add_messages, which "
    "makes messages with a .{0} of dicts: annotate the key with it, or take message['{0}']."
)
NO_SYNC = (
    'No synchronous function provided to "{}".\nEither initialize with a synchronous function '
    "or invoke via the async API (ainvoke, astream, etc.)"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of user code that a driver has to make."""

    callee: Callee
    given: Any
    injected: Mapping[str, Any]


AttemptCalls = Generator[Call, Any, Result]
Offload = Callable[[Callable[[], Any]], Awaitable[Any]]


def run_task(graph: Graph, task: Task, values: Mapping[str, Any], frame: TaskFrame) -> Result:
    """Run ``task`` on the state ``values``; every failure of the node comes back as a Result."""
    frame.lanes.settle()
    with _frame.Entered(frame):
        return carry(_attempt(graph, task, values, frame), partial(_call, frame))


async def run_task_async(
    graph: Graph, task: Task, values: Mapping[str, Any], frame: TaskFrame, offload: Offload
) -> Result:
    """Do what ``run_task`` does on an event loop.

    ``offload`` runs blocking code beside it, in a copy of the context.
    """
    with _frame.Entered(frame):
        return await acarry(_attempt(graph, task, values, frame), partial(_acall, frame, offload))


def _call(frame: TaskFrame, call: Call) -> Any:
    if frame.limit is not None:
        return frame.limit.call(partial(apart, _made, frame, call))
    return apart(_made, frame, call)


def _made(frame: TaskFrame, call: Call) -> Any:
    frame.enters()
    if call.callee.call is None:
        raise TypeError(NO_SYNC.format(call.callee.name))
    return call.callee.call(call.given, **call.injected)


async def _acall(frame: TaskFrame, offload: Offload, call: Call) -> Any:
    callee = call.callee
    if callee.acall is not None:
        frame.lanes.settle()
        work = awaited_apart(_awaited(frame, callee.acall, call))
        return await (frame.limit.keep(work) if frame.limit else work)
    return await offload(lambda: _call_beside(frame, call))


async def _awaited(frame: TaskFrame, acall: Callable[..., Any], call: Call) -> Any:
    frame.enters()
    return await acall(call.given, **call.injected)


def _call_beside(frame: TaskFrame, call: Call) -> Any:
    """Call blocking code; its StopIteration could not pass a future, which would never be done."""
    frame.lanes.settle()
    try:
        return _made(frame, call)
    except StopIteration as exc:
        raise RuntimeError(f"'{call.callee.name}' raised StopIteration") from exc


def _attempt(graph: Graph, task: Task, values: Mapping[str, Any], frame: TaskFrame) -> AttemptCalls:
    node = node_of(graph, task)
    values = given_in(graph, values, frame.checkpoint.step + 1, frame.stop)
    frame.state = partial(node.schema.read, values)
    try:
        given = node.schema.read(values) if task.send is None else task.send.arg
        kept = _remembered(node, task, given, frame)
        if kept is not None:
            known: Completed | None = yield _asking(node, kept.find, kept.afind)
            if known is not None:
                return known
        if frame.watch is not None:
            frame.begins(_told(node, task, given))
        output = yield from _output(graph, node, given, frame)
        if frame.watch is not None:
            frame.watch.ended(output)
        read = with_pushed(_read(graph, node, output), node, frame)
        done = identified(graph.channels, task.id, read)
        chosen = yield from _route(graph, node, values, (done, output), frame)
        if kept is not None:
            yield _asking(node, kept.keep, kept.akeep, chosen)
    except frame.passes:
        raise
    except BaseException as exc:  # noqa: BLE001 nothing that a node does may end its worker
        if frame.watch is not None:
            frame.watch.failed(exc)
        return read_exception(exc, frame)
    return chosen


def _told(node: Node, task: Task, given: Any) -> Any:
    """Return what callbacks are told that a task begins with: a function by its arguments."""
    if task.caller is None or node.callee.graph is not None:
        return given
    call: Any = node.callee.call or node.callee.acall
    return call.named(given, node.callee.wants)


def _remembered(node: Node, task: Task, given: Any, frame: TaskFrame) -> Recalled | None:
    cache, policy = frame.invocation.cache, node.cache
    return None if cache is None or policy is None else cache.of(task, node, policy, given)


def _asking(
    node: Node, call: Callable[..., Any], acall: Callable[..., Any], given: Any = None
) -> Call:
    return Call(Callee(node.name, call, acall), given, {})


def _output(graph: Graph, node: Node, given: Any, frame: TaskFrame) -> Generator[Call, Any, Any]:
    """Return what the node returns, or the command with which a graph inside it left to this one.

    Whatever else a graph inside it asked is forgotten then: it is never gone on with. A workflow
    and a function take no command: the one around them is left, too.
    """
    try:
        output = yield Call(node.callee, given, _injected(node.callee, frame))
        for callee in node.then:
            output = yield Call(callee, output, _injected(callee, frame))
    except BaseException as exc:
        for signal in _signals(exc) if node.returns is None else ():
            if isinstance(signal, ParentCommand) and signal.caller is frame:
                return taken_from_inside(graph, node.name, signal.command)
        raise
    if frame.pending:
        raise RuntimeError(SWALLOWED.format(node.name))
    return output


def _read(graph: Graph, node: Node, output: Any) -> Completed:
    if node.returns is not None:
        return Completed(node.returns(output))
    return read_return(graph, node.name, output, _writable(graph, node))


def _writable(graph: Graph, node: Node) -> Collection[str]:
    """Return the channels that the node may write: an input may only write the input schema's."""
    return graph.inputs if node.name == START else graph.channels.keys()


def _route(
    graph: Graph,
    node: Node,
    values: Mapping[str, Any],
    result: tuple[Completed, Any],
    frame: TaskFrame,
) -> Generator[Call, Any, Completed]:
    """Return the completed task with the targets of its edges and conditional edges added."""
    done, output = result
    goto = [*done.goto, *node.targets]
    if node.branches:
        read = [write for write in done.writes if write[0] in node.routes_by]
        seen = updated(values, merge(graph.channels, values, read))
        for branch in node.branches:
            injected = _injected(branch.path, frame)
            chosen = yield Call(branch.path, _seen(branch, seen, output), injected)
            goto += read_path(graph, node.name, branch, chosen)
    return Completed(done.writes, tuple(goto))


def _seen(branch: Branch, values: Mapping[str, Any], output: Any) -> Any:
    """Return what a path function sees: the keys of its schema.

    One that names no schema sees those of its node, and whatever else the node returned.
    """
    state = branch.schema.read(values)
    if branch.follows and isinstance(state, dict) and isinstance(output, dict):
        return {**output, **state}
    return state


def _injected(callee: Callee, frame: TaskFrame) -> Mapping[str, Any]:
    if not callee.wants:
        return {}
    known = {
        "config": frame.config,
        "runtime": frame.runtime,
        "writer": frame.emit,
        "previous": frame.previous,
        "store": frame.invocation.store,
        "error": frame.handled,
    }
    return {name: known[what] for name, what in callee.wants.items()}


def read_exception(exc: BaseException, frame: TaskFrame) -> Result:
    """Return what an exception that left a node means."""
    signals = list(_signals(exc))
    for signal in signals:
        if isinstance(signal, ParentCommand):
            return Escaped(plain_command(signal.command))
    if asking := [signal for signal in signals if isinstance(signal, GraphInterrupt)]:
        try:
            ask_raised(frame, asking)
        except RuntimeError as nobody:
            return read_error(nobody, frame)
        return Interrupted((*frame.pending, *_heard(asking, frame)), frame.refused)
    if untaken := [question for error, question in frame.untaken if _has(exc, error)]:
        return Interrupted((*frame.pending, *untaken), read_error(exc, frame))
    return read_error(exc, frame)


def _has(exc: BaseException, error: BaseException) -> bool:
    """Whether ``error`` is what was raised, or in the group that was."""
    if exc is error:
        return True
    return isinstance(exc, BaseExceptionGroup) and any(_has(x, error) for x in exc.exceptions)


def _heard(signals: Iterable[GraphInterrupt], frame: TaskFrame) -> tuple[Question, ...]:
    """Return the questions of called functions with which the node was left."""
    ids = dict.fromkeys(asked.id for signal in signals for asked in signal.interrupts)
    return tuple(frame.heard[iid] for iid in ids if iid in frame.heard)


def _signals(exc: BaseException) -> Iterator[GraphBubbleUp]:
    """Find the signals in ``exc``: a TaskGroup wraps what its tasks raise."""
    if isinstance(exc, GraphBubbleUp):
        yield exc
    elif isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from _signals(inner)


def read_error(exc: BaseException, frame: TaskFrame) -> Errored:
    """Return the record of a failure; ``exception`` in it is what a caller gets raised.

    One that happened elsewhere, in a graph that the task calls, stays as it was recorded there.
    """
    if frame.failed is not None and frame.failed.exception is exc:
        notes = (*frame.failed.notes, during(frame.task))
        # The handlers inside are over; that of this task is not.
        return replace(frame.failed, notes=notes, is_settled=False)
    return errored(_in_words(exc, frame.task.node), *_advice(exc), during(frame.task))


def _in_words(exc: BaseException, node: str) -> BaseException:
    """Return ``exc``, or what tells better what happened in the node, with ``exc`` as its cause."""
    if isinstance(exc, cancellations()):
        told: BaseException = NodeCancelledError(node)
    elif not isinstance(exc, Exception):
        told = NodeExited(
            f"Node '{node}' raised {type(exc).__name__}({said(exc)}). A node ends by "
            "returning or by raising an Exception, never by ending its process."
        )
    elif advised := called_foreign(exc):
        told = RuntimeError(f"Node '{node}' failed in a call that belongs to no graph. {advised}")
    else:
        return exc
    told.__cause__ = exc
    return told


def _advice(exc: BaseException) -> Iterator[str]:
    """Tell what helps against a failure, where that is known."""
    if isinstance(exc, AttributeError) and is_message_dict(exc.obj):
        yield DICT_MESSAGE.format(exc.name)
