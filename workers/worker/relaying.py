"""What workers show of graphs and functions inside tasks, as chunks that need no code to read.

Whoever follows the run may not know such a graph, which need not be stored either.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

from checkpoint_redis.bundles import Bundle
from distgraph._message import HEARD, ToolTold
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.core.frame import TaskFrame
from distgraph.core.graph import Graph
from distgraph.core.model import Errored, Interrupted, Result
from distgraph.core.packets import Packet
from distgraph.engine import Save
from distgraph.errors import SerializationError
from distgraph.events import Custom, Ended, Inside, OfFrame, Relayed, Spoke, Started
from distgraph.graph.subgraphs import holds_graph
from distgraph.levels import PIECE, placed_chunks
from distgraph.runners.told import ToldOfSave, told_of_save
from distgraph.runners.watched import Speak
from distgraph.streaming import View, know

from ..shared.shown import Shown, encode_relayed, frame_of
from .emitter import Emitter
from .opened import FIRST, Opened

log: Final = logging.getLogger(__name__)
Chunks = tuple[tuple[str, Any], ...]
OF_CALLS: Final = frozenset({"updates", "tasks", "debug", "messages"})
"""The modes that show what becomes of a call."""
OUTERMOST = "root"
"""Stands for the hash of the outermost frame, which has none, in events that are relayed."""


class Relay:
    """Makes chunks of what happens in the graphs inside tasks, in the modes of the run."""

    def __init__(
        self, shown: Shown, graph: Graph, serializer: JsonPlusSerializer, thread_id: str
    ) -> None:
        keys = graph.outputs
        self._view = View(graph, shown.modes, keys, set(), shown.about, thread_id, holds_graph)
        self._serializer = serializer
        self._is_lost = False

    def publish(self, emitter: Emitter, told: Inside | Custom) -> None:
        """Stream the chunks of what happened, each for itself: together they may be too large.

        A function that is called streams a bare chunk.
        """
        if isinstance(told, Custom):
            told = Inside(self._view.graph, told)
        if isinstance(told.event, Spoke):
            self.speak(emitter, told.graph, told.event)
            return
        made, known = self._made(told.graph, (told.event,), kept=told.kept)
        each: list[Relayed] = [Relayed(told.ns, (chunk,)) for chunk in made]
        if known:
            each.append(Relayed(told.ns, (), known))
        for relayed in each:
            if blob := self._encoded(told.graph, relayed):
                emitter.relay(frame_of(relayed) or OUTERMOST, blob)

    def speak(self, emitter: Emitter, graph: Graph, told: Spoke) -> None:
        """Stream what a model has made, or a tool tells, if the run shows that."""
        is_tool = isinstance(told.message, ToolTold)
        if ("tools" if is_tool else "messages") not in self._view.modes:
            return
        if is_tool:
            chunk: tuple[str, Any] = ("tools", dict(told.message.chunk))
        else:
            mode = "messages" if told.whole else PIECE
            chunk = (mode, (told.message, dict(told.about)))
        relayed = Relayed(told.ns, (chunk,))
        if blob := self._encoded(graph, relayed):
            emitter.relay(frame_of(relayed) or OUTERMOST, blob)

    def record(self, graph: Graph, ns: str, *told: OfFrame) -> bytes:
        """Return the chunks of what happened in a frame, for the event that tells of it."""
        made, known = self._made(graph, told)
        return self._encoded(graph, Relayed(ns, made, known)) if made or known else b""

    def custom(self, graph: Graph, ns: str, chunk: Any) -> bytes:
        """Return a custom chunk of a frame; SerializationError for what cannot be stored."""
        relayed = Relayed(ns, (("custom", chunk),))
        return encode_relayed(relayed, _knowing(self._serializer, graph.schema_types))

    def ended(self, opened: Opened, frame: TaskFrame, result: Result) -> Inside:
        """Return what is told of a task of a frame inside another one.

        Where it asks, the whole state is shown, which who runs one of several tasks has not got.
        """
        know(self._view, frame.checkpoint)
        values = frame.checkpoint.values
        if isinstance(result, Interrupted) and not opened.whole and "values" in self._view.modes:
            values = opened.all_values()
        step = frame.checkpoint.step + 1
        return Inside(opened.graph, Ended(opened.task_ns, frame.task, result, values, step=step))

    def _made(
        self, graph: Graph, told: Iterable[OfFrame], *, kept: bool = True
    ) -> tuple[Chunks, tuple[Any, ...]]:
        """Return chunks, and which messages are not new any more."""
        before = frozenset(self._view.seen)
        made = tuple(
            (mode, chunk)
            for each in told
            for _, mode, chunk in placed_chunks(
                self._view, Inside(graph, _storable(each), kept=kept), subgraphs=True
            )
        )
        return made, tuple(self._view.seen - before)

    def _encoded(self, graph: Graph, relayed: Relayed) -> bytes:
        """Return the chunks as bytes, none where they cannot be stored."""
        try:
            return encode_relayed(relayed, _knowing(self._serializer, graph.schema_types))
        except SerializationError as error:
            if not self._is_lost:
                log.warning("What '%s' shows cannot be streamed: %s", relayed.ns, error)
            self._is_lost = True
            return b""


def speak_of(opened: Opened, emitter: Emitter) -> Speak | None:
    """Return what streams what models and tools of an attempt tell; None: nobody is shown."""
    if HEARD.isdisjoint(opened.shown.modes) or (opened.ns and not opened.shown.subgraphs):
        return None
    relay = _relay(opened)

    def speak(message: Any, about: Mapping[str, Any], whole: bool) -> None:
        relay.speak(emitter, opened.graph, Spoke(opened.task_ns, message, about, whole))

    return speak


def relay_of(opened: Opened) -> Relay | None:
    """Return what makes chunks of what happens inside tasks, None where nobody asks for them."""
    return _relay(opened) if opened.shown.subgraphs else None


def calls_relay_of(opened: Opened, relay: Relay | None) -> Relay | None:
    """Return what makes chunks of the functions that tasks call, None where nobody asks for them.

    They are shown where their callers are; ``relay`` makes those of graphs inside.
    """
    if relay is not None or opened.task_ns or OF_CALLS.isdisjoint(opened.shown.modes):
        return relay
    return _relay(opened)


def _relay(opened: Opened) -> Relay:
    serializer = opened.served.wire.serializer
    return Relay(opened.shown, opened.graph, serializer, opened.head.thread_id)


def emitter_of(opened: Opened, tid: str, relay: Relay | None) -> Emitter:
    """Return what streams the custom chunks of an attempt, those of a frame inside as its own."""
    desk, run = opened.desk, opened.head.run
    if relay is None or not opened.ns:
        return desk.emitter(run, tid, opened.served.wire.serializer.dumps)
    # Chunks of a function are shown where the graphs are that its caller calls.
    ns = opened.ns.removesuffix(f"|{FIRST}") if opened.caller else opened.ns
    return desk.emitter(run, tid, partial(relay.custom, opened.graph, ns), desk.ns)


def shown_of(opened: Opened, save: Save, sent: Iterable[Bundle]) -> bytes:
    """Return what a frame inside a task shows of what is about to be committed.

    ``sent``: packets that are not stored yet.
    """
    relay, ns = relay_of(opened), opened.ns
    if relay is None:
        return b""
    told = told_of_save(ns, save)
    if opened.shown.wants("tasks"):
        told = tuple(_filled(opened, each, sent) for each in told)
    return relay.record(opened.graph, ns, *told)


def _filled(opened: Opened, told: ToldOfSave, sent: Iterable[Bundle]) -> ToldOfSave:
    """Return which tasks begin with the packets that are shown of them, which nobody else reads."""
    if not isinstance(told, Started):
        return told
    wanted = [each.send for each in told.tasks if isinstance(each.send, Packet)]
    known = {(each.name, n): blob for each in sent for n, blob in enumerate(each.blobs)}
    given = {each: known.get((each.bundle, each.number)) for each in wanted}
    blobs = {each: blob for each, blob in given.items() if blob is not None}
    blobs |= opened.desk.packets([each for each in wanted if each not in blobs])
    wire = opened.served.wire
    tasks = (
        replace(task, send=wire.read_packet(task.send, blobs))
        if isinstance(task.send, Packet)
        else task
        for task in told.tasks
    )
    return told._replace(tasks=tuple(tasks))


def _storable(told: OfFrame) -> OfFrame:
    """Return ``told`` with the text of a failure in place of its exception."""
    if isinstance(told, Ended) and isinstance(told.result, Errored):
        return told._replace(result=replace(told.result, exception=None))
    return told


@lru_cache(maxsize=256)
def _knowing(serializer: JsonPlusSerializer, schemas: tuple[Any, ...]) -> JsonPlusSerializer:
    """Return what encodes the values of a graph that others need not know."""
    return serializer.allow(*classes_of(*schemas))
