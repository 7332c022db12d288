"""Turn a run's events into the chunks of LangGraph's stream modes; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from distgraph._arguments import names_of
from distgraph._message import is_message, is_removal, message_id
from distgraph.core.frame import triggers
from distgraph.core.graph import ROOT, Graph
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
    Write,
)
from distgraph.core.plan import with_caller_writes
from distgraph.core.snapshot import current_values, shown_writes, visible
from distgraph.events import (
    Concluded,
    Custom,
    Ended,
    FunctionCalled,
    OfFrame,
    Resumed,
    Started,
    Stepped,
)

INTERRUPT = "__interrupt__"
Chunk = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """How a caller wants to see a run: its modes, and the output keys it asked for.

    ``seen``: the ids of the messages that are not to be shown (again). ``about``: what of the
    caller's config stands with every message.
    """

    graph: Graph
    modes: Collection[str]
    keys: tuple[str, ...] | str
    seen: set[Any]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[str, ...]:
        """The output keys as a tuple."""
        return (self.keys,) if isinstance(self.keys, str) else self.keys

    def values(self, values: Mapping[str, Any]) -> Any:
        """Return the chunk of the values mode."""
        if isinstance(self.keys, str):
            return values.get(self.keys)
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


def _resumed(view: View, event: Resumed) -> Iterator[Chunk]:
    opened = with_caller_writes(view.graph, event.state)
    know(view, opened)
    yield "values", view.values(opened.values)


def _stepped(view: View, event: Stepped) -> Iterator[Chunk]:
    is_input = event.state.checkpoint.source == "input"  # which its caller knows
    if not is_input and event.changed & set(view.shown):
        yield "values", view.values(event.state.checkpoint.values)


def _started(view: View, event: Started) -> Iterator[Chunk]:
    if not {"tasks", "messages"} & set(view.modes):
        return
    opened = with_caller_writes(view.graph, event.state)
    know(view, opened)
    for task in event.tasks if "tasks" in view.modes else ():
        if task.node != START:
            yield "tasks", _task_start(view.graph, task, opened.values)


def _task_start(graph: Graph, task: Task, values: Mapping[str, Any]) -> dict[str, Any]:
    node = graph.nodes[task.node]
    given = task.send.arg if task.send is not None else node.schema.read(values)
    made = triggers(task, graph)
    start = {"id": task.id, "name": task.node, "input": given, "triggers": made}
    return {**start, "metadata": dict(node.metadata)} if node.metadata else start


def _called(view: View, event: FunctionCalled) -> Iterator[Chunk]:
    if "tasks" in view.modes:
        yield "tasks", _task_start(event.graph, event.task, {})


def _ended(view: View, event: Ended) -> Iterator[Chunk]:
    task, result = event.task, event.result
    if task.node == START:
        return
    match result:
        case Completed(writes):
            yield from (("messages", chunk) for chunk in _messages(view, event, writes))
            cached = {"__metadata__": {"cached": True}} if event.kept else {}
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
    if "tasks" in view.modes and not (event.kept and isinstance(result, Completed)):
        yield "tasks", _task_result(view.graph, task, result)


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


def _task_result(
    graph: Graph, task: Task, result: Completed | Errored | Interrupted
) -> dict[str, Any]:
    hidden = {PREVIOUS, *(graph.channels.keys() - set(names_of(graph.streams or graph.channels)))}
    error: BaseException | str | None = None
    shown: Any = {}
    interrupts: list[dict[str, Any]] = []
    match result:
        case Completed(writes):
            shown = shown_writes(write for write in writes if write[0] not in hidden)
        case Errored() as failure:
            error = str(failure) if failure.exception is None else failure.exception
        case Interrupted(questions):
            interrupts = [{"value": q.interrupt.value, "id": q.interrupt.id} for q in questions]
    return {
        "id": task.id,
        "name": task.node,
        "error": error,
        "result": shown,
        "interrupts": interrupts,
    }


def _messages(view: View, event: Ended, writes: tuple[Write, ...]) -> Iterator[Any]:
    """Yield the whole messages that a task returned and that nobody has seen before."""
    if "messages" not in view.modes or event.kept:
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
    Resumed: _resumed,
    Stepped: _stepped,
    Started: _started,
    FunctionCalled: _called,
    Ended: _ended,
    Custom: _custom,
    Concluded: _concluded,
}
