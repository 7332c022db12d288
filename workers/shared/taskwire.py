"""Tasks and the packets that are sent to them as what Redis stores of them, and back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from checkpoint_redis.bundles import Bundle, Packets, blob_of, bundles, packet_name
from checkpoint_redis.records import TaskEntry
from distgraph.checkpoint.blame import of_packet
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.targets import content, filled, parted, sends_of, sent_by
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.graph import Node
from distgraph.core.model import Checkpoint, Completed, Target, Task
from distgraph.core.packets import Packet
from distgraph.errors import CorruptRecord, DistGraphError, SerializationError
from distgraph.types import Send

from .hints import label
from .inner import frame_within

Apart = tuple[tuple[Target, ...], tuple[Bundle, ...]]
"""What runs next with packets in place of Sends, and their bundle."""


@dataclass(frozen=True, slots=True)
class TaskWire:
    """Encodes tasks and packets for one graph.

    ``routes``: what queues that nodes name are called at the broker, where it is something else.
    """

    serializer: JsonPlusSerializer
    routes: Mapping[str, str] = field(default_factory=dict)

    # --- tasks -----------------------------------------------------------------------------

    def task(self, task: Task, node: Node, graph: str, ns: str = "") -> TaskEntry:
        """Return what is queued for ``task`` of the frame ``ns``; packets are not, but a caller's.

        Its record is node, index, and [] for a task that was not sent, [argument], or None for a
        packet that is stored apart.
        """
        given, packet = _argument(task.send)
        try:
            blob = self.serializer.dumps(numbered(Kind.task, task.node, task.index, given))
        except SerializationError as error:
            raise SerializationError(f"{of_packet(task.node)}: {error}") from error
        reads = node.reads(sent=task.send is not None)
        name, queue = label(graph, task.node), self.routes.get(node.queue, node.queue)
        inner = frame_within(node, ns, task)
        return TaskEntry(task.id, blob, queue, node.priority, reads, packet, inner=inner, name=name)

    def read_node(self, tid: str, blob: bytes) -> str:
        """Return which node the task of an entry runs."""
        packed = self.serializer.loads(blob)
        match fields_of(Kind.task, packed):
            case [str(node), *_]:
                return node
            case _:
                raise corrupt(f"{Kind.task} ({tid})", packed)

    def read_task(self, tid: str, blob: bytes, packet: bytes | None = None) -> Task:
        """Return the task of an entry, with its ``packet`` where that is stored apart."""
        packed = self.serializer.loads(blob)
        match fields_of(Kind.task, packed):
            case [str(node), int(index), []]:
                return Task(tid, node, index)
            case [str(node), int(index), [arg]]:
                return Task(tid, node, index, sent_by(node, arg))
            case [str(node), int(index), None] if packet is not None:
                return Task(tid, node, index, sent_by(node, self.serializer.loads(packet)))
            case [str(node), int(), None]:
                msg = f"The packet of task {tid}, which was sent to node '{node}', is not stored."
                raise CorruptRecord(msg)
            case _:
                raise corrupt(f"{Kind.task} ({tid})", packed)

    def node_of(self, blob: bytes) -> str:
        """Return the node of an entry's task, whatever that gets."""
        packed = self.serializer.loads(blob)
        match fields_of(Kind.task, packed):
            case [str(node), int(), _]:
                return node
            case _:
                raise corrupt(str(Kind.task), packed)

    def label_of(self, graph: str, blob: bytes) -> str:
        """Return what the job of an entry's task is called, '' where that can't be read here."""
        try:
            return label(graph, self.node_of(blob))
        except DistGraphError:  # of a class that is not known here, for example
            return ""

    # --- packets ---------------------------------------------------------------------------

    def apart(self, targets: tuple[Target, ...], nonce: str) -> Apart:
        """Return ``targets`` with packets in place of their Sends, and the bundle of these.

        The bundle has its name from ``nonce``. SerializationError names a packet at fault.
        """
        made = bundles(nonce, tuple(self._packet(send) for send in sends_of(targets)))
        return (parted(targets, made[0].name) if made else targets), made

    def _packet(self, send: Send) -> bytes:
        try:
            return self.serializer.dumps(content(send))
        except SerializationError as error:
            raise SerializationError(f"{of_packet(send.node)}: {error}") from error

    def read_packet(self, packet: Packet, blobs: Packets) -> Send:
        """Return the Send that a packet stands for."""
        return sent_by(packet.node, self.serializer.loads(blob_of(packet, blobs)))

    def filled(self, checkpoint: Checkpoint, blobs: Packets) -> Checkpoint:
        """Return ``checkpoint`` with the Sends of its packets."""
        whole = filled(
            checkpoint.frontier, lambda each: self.serializer.loads(blob_of(each, blobs))
        )
        return replace(checkpoint, frontier=whole)

    def sent(
        self, task: Task, result: Completed, nonce: str
    ) -> tuple[Completed, tuple[Bundle, ...]]:
        """Return ``result`` with packets in place of its Sends, and the bundle of these.

        SerializationError names the node and the packet.
        """
        try:
            goto, made = self.apart(result.goto, nonce)
        except SerializationError as error:
            raise SerializationError(unstorable(task.node, error)) from error
        return replace(result, goto=goto), made


def _argument(send: Send | Packet | None) -> tuple[list[Any] | None, str]:
    """Return what stands in a task's record of its argument, and the name of its packet."""
    match send:
        case None:
            return [], ""
        case Packet(_, bundle, number):
            return None, packet_name(bundle, number)
        case _:
            return [content(send)], ""


def unstorable(node: str, error: SerializationError) -> str:
    """Return what is told of a node whose result cannot be stored."""
    return f"Node '{node}' returned what cannot be stored. {error}"
