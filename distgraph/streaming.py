"""Turn a run's events into the chunks of LangGraph's stream modes; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from distgraph._message import ToolTold, is_message, is_removal, message_id
from distgraph.core.frame import triggers
from distgraph.core.graph import ROOT, Graph, Node
from distgraph.core.handlers import handler_of
from distgraph.core.model import (
    END,
    PREVIOUS,
    RETURN,
    START,
    Checkpoint,
    Completed,
    Errored,
    Escaped,
    Interrupted,
    Paused,
    Result,
    Task,
    ThreadState,
    Write,
)
from distgraph.core.plan import with_caller_writes
from distgraph.core.snapshot import current_values, visible
from distgraph.events import (
    Concluded,
    Custom,
    Ended,
    FunctionCalled,
    OfFrame,
    Received,
    Resumed,
    Spoke,
    Started,
    Stepped,
)
from distgraph.payloads import checkpoint, debugged, task_result, task_start

INTERRUPT = "__interrupt__"
_DEBUGGED = ("tasks", "checkpoints")
Chunk = tuple[str, Any]


def _holds_nothing(_node: Node) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class View:
    """How a caller wants to see a run: its modes, and the output keys it asked for.

    ``seen``: the ids of the messages that are not to be shown (again). ``about``: what of the
    caller's config stands with every message. ``thread_id``: where checkpoints are kept, '' where
    they are not. ``holds``: whether a node has a graph inside that is kept, too.
    """

    graph: Graph
    modes: Collection[str]
    keys: tuple[str, ...] | str
    seen: set[Any]
    about: Mapping[str, Any] = field(default_factory=dict)
    thread_id: str = ""
    holds: Callable[[Node], bool] = field(default=_holds_nothing)

    def wants(self, mode: str) -> bool:
        """Whether ``mode`` is shown; the debug mode shows tasks and checkpoints."""
        return mode in self.modes or ("debug" in self.modes and mode in _DEBUGGED)

    @property
    def shown(self) -> tuple[str, ...]:
        """The output keys as a tuple."""
        return (self.keys,) if isinstance(self.keys, str) else self.keys

    def hides(self, task: Task) -> bool:
        """Whether a task is not shown, but for its questions: that of START, or one so tagged."""
        node = self.graph.nodes.get(task.node)
        return task.node == START or (node is not None and node.hidden)

    def values(self, values: Mapping[str, Any]) -> Any:
        """Return the chunk of the values mode."""
        return visible(self.graph, values, self.keys)

    def update(self, writes: tuple[Write, ...]) -> Any:
        """Return a task's writes as the updates mode shows them; None without any."""
        if not isinstance(self.keys, str) or [channel for channel, _ in writes] == [RETURN]:
            return shown_update(writes, (*self.shown, RETURN))
        shown = [value for channel, value in writes if channel == self.keys]
        return shown if len(shown) > 1 else next(iter(shown), None)


def chunks(view: View, event: OfFrame) -> Iterator[Chunk]:
    """Yield (mode, payload) for one event, in LangGraph's order."""
    for mode, payload in _ALL[type(event)](view, event):
        if mode in view.modes:
            yield mode, payload


def _received(view: View, event: Received) -> Iterator[Chunk]:
    yield from _checkpoint(view, event.ns, event.state)


def _resumed(view: View, event: Resumed) -> Iterator[Chunk]:
    opened = with_caller_writes(view.graph, event.state)
    know(view, opened)
    yield "values", view.values(opened.values)
    yield from _checkpoint(view, event.ns, event.before or event.state)


def _stepped(view: View, event: Stepped) -> Iterator[Chunk]:
    is_input = event.state.checkpoint.source == "input"  # which its caller knows
    if not is_input and event.changed & set(view.shown):
        yield "values", view.values(event.state.checkpoint.values)
    yield from _checkpoint(view, event.ns, event.state)


def _checkpoint(view: View, ns: str, state: ThreadState) -> Iterator[Chunk]:
    if not view.thread_id or not view.wants("checkpoints"):
        return
    told, at = checkpoint(view.graph, state, ns, view.thread_id, view.holds), state.checkpoint
    yield "checkpoints", told
    yield "debug", debugged("checkpoint", at.step, told, at.ts)


def _started(view: View, event: Started) -> Iterator[Chunk]:
    if not (view.wants("tasks") or "messages" in view.modes):
        return
    opened = with_caller_writes(view.graph, event.state)
    know(view, opened)
    for task in event.tasks if view.wants("tasks") else ():
        if not view.hides(task):
            yield from _begins(task_start(view.graph, task, opened.values), opened.step + 1)


def _begins(start: Mapping[str, Any], step: int) -> Iterator[Chunk]:
    yield "tasks", start
    yield "debug", debugged("task", step, start)


def _called(view: View, event: FunctionCalled) -> Iterator[Chunk]:
    if view.wants("tasks"):
        yield from _begins(task_start(event.graph, event.task, {}), event.step)


def _ended(view: View, event: Ended) -> Iterator[Chunk]:
    task, result = event.task, event.result
    if task.node == START:
        return
    if isinstance(result, Completed) and result.handled:
        task = handler_of(view.graph, task)
    match result:
        case Completed() if view.hides(event.task):
            return
        case Completed(writes):
            yield from (("messages", chunk) for chunk in _messages(view, event, writes))
            cached = {"__metadata__": {"cached": True}} if _is_old(event) else {}
            yield "updates", {task.node: view.update(writes), **cached}
        case Interrupted(()):  # a stop inside of the task, which is told once, at the end
            return
        case Interrupted(questions):
            asked = tuple(question.interrupt for question in questions)
            yield "updates", {INTERRUPT: asked}
            yield "values", _with_interrupt(view.values(event.values), asked)
        case Escaped():  # what it left shows what the task around it leaves
            return
        case Errored():
            pass
    if view.wants("tasks") and not _is_old(event) and not view.hides(event.task):
        told = task_result(view.graph, task, result)
        yield "tasks", told
        yield "debug", debugged("task_result", event.step, told)


def _is_old(event: Ended) -> bool:
    """Whether a task is done that was not run: it was done before, or a cache had what it left."""
    return isinstance(event.result, Completed) and (event.kept or event.result.cached)


def _with_interrupt(values: Any, asked: tuple[Any, ...]) -> Any:
    return {**values, INTERRUPT: asked} if isinstance(values, dict) else {INTERRUPT: asked}


def shown_update(writes: tuple[Write, ...], keys: Collection[str]) -> Any:
    """Return a task's writes as the updates mode shows them.

    None without any, a dict, or a list of dicts when a key was written several times.
    """
    shown = [(channel, value) for channel, value in writes if channel in keys]
    if not shown:
        return None
    if len(shown) == 1 and shown[0][0] in (ROOT, END, RETURN):
        return shown[0][1]
    if {channel for channel, _ in shown} == {ROOT}:
        return [value for _, value in shown]
    if max(Counter(channel for channel, _ in writes).values()) > 1:
        return [{channel: value} for channel, value in shown]
    return dict(shown)


def _messages(view: View, event: Ended, writes: tuple[Write, ...]) -> Iterator[Any]:
    """Yield the whole messages that a task returned and that nobody has seen before."""
    if "messages" not in view.modes or _is_old(event):
        return
    own = event.task.place
    metadata = {
        **view.about,
        "langgraph_step": event.step,
        "langgraph_node": event.task.node,
        "langgraph_triggers": triggers(event.task, view.graph),
        "langgraph_path": event.task.path,
        "langgraph_checkpoint_ns": f"{event.ns}|{own}" if event.ns else own,
    }
    for message in (each for write in writes for each in _items(*write)):
        key = message_id(message)
        if _shown(message) and (key is None or key not in view.seen):
            view.seen.add(key)
            yield message, metadata


def _items(channel: str, value: Any) -> Iterator[Any]:
    """Yield what may be a message in a write; a function may return them in a dict, as nodes do."""
    if channel == PREVIOUS:  # what is saved was returned, too, or is nobody else's
        return
    inside = channel in (RETURN, END) and isinstance(value, dict)
    for part in value.values() if inside else [value]:
        yield from part if isinstance(part, list) else [part]


def know(view: View, checkpoint: Checkpoint) -> None:
    """Count the messages of the state as seen, once for all tasks that run on it."""
    if "messages" in view.modes:
        view.seen.update(key for value in checkpoint.values.values() for key in _ids(value))


def _shown(value: Any) -> bool:
    return is_message(value) and not is_removal(value)


def _ids(value: Any) -> Iterator[Any]:
    for item in value if isinstance(value, list) else [value]:
        if (key := message_id(item)) is not None:
            yield key


def _custom(_view: View, event: Custom) -> Iterator[Chunk]:
    yield "custom", event.chunk


def _spoke(view: View, event: Spoke) -> Iterator[Chunk]:
    """Show a piece of a message always, a whole one where nobody has seen anything of it."""
    if isinstance(event.message, ToolTold):
        yield "tools", dict(event.message.chunk)
        return
    key = message_id(event.message)
    known = event.whole and key in view.seen
    view.seen.add(key)
    if not known:
        yield "messages", (event.message, dict(event.about))


def _concluded(view: View, event: Concluded) -> Iterator[Chunk]:
    if event.state is None or not isinstance(event.outcome, Paused):
        return
    if any(map(_has_written, event.state.results.values())):
        yield "values", view.values(current_values(view.graph, event.state, event.ns))
    if not event.outcome.questions:
        yield "updates", {INTERRUPT: ()}


def _has_written(result: Result) -> bool:
    """Whether a task has written to the state, which a called function does not."""
    return isinstance(result, Completed) and any(key != RETURN for key, _ in result.writes)


_ALL: Mapping[type, Callable[[View, Any], Iterator[Chunk]]] = {
    Received: _received,
    Resumed: _resumed,
    Stepped: _stepped,
    Started: _started,
    FunctionCalled: _called,
    Ended: _ended,
    Custom: _custom,
    Spoke: _spoke,
    Concluded: _concluded,
}
