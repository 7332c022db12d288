"""The graphs called inside a task, kept with the record of that task while it is not done."""

from __future__ import annotations

from typing import Any

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.serde.schema import classes_of
from distgraph.checkpoint.upgrades import corrupt, fields_of, numbered
from distgraph.core.graph import Graph


class Memo:
    """Keeps frames in memory, to be stored as a whole."""

    def __init__(self, serializer: JsonPlusSerializer, blob: bytes | None = None) -> None:
        self.saver = InMemorySaver(serde=serializer)
        self._serializer = serializer
        if blob:
            self._read(serializer.loads(blob))

    def for_graph(self, graph: Graph) -> BaseCheckpointSaver:
        """Return the saver, knowing the classes of the graph's state too."""
        return self.saver.with_allowlist(classes_of(*graph.schema_types))

    def dump(self) -> bytes:
        """Return what is stored of the frames; empty when there are none."""
        saver = self.saver
        if not saver.storage:
            return b""
        stored = [
            [thread, ns, cp, *map(list, record[:2]), record[2]]
            for thread, frames in saver.storage.items()
            for ns, kept in frames.items()
            for cp, record in kept.items()
        ]
        blobs = [[*key, *blob] for key, blob in saver.blobs.items()]
        writes = [
            [*at, *key, channel, list(blob), path]
            for at, written in saver.writes.items()
            for key, (_, channel, blob, path) in written.items()
        ]
        return self._serializer.dumps(numbered(Kind.state, stored, blobs, writes))

    def _read(self, packed: Any) -> None:
        saver = self.saver
        match fields_of(Kind.state, packed):
            case [list(stored), list(blobs), list(writes)]:
                for thread, ns, cp, record, metadata, parent in stored:
                    frames = saver.storage[thread].setdefault(ns, {})
                    frames[cp] = (tuple(record), tuple(metadata), parent)
                for thread, ns, channel, version, kind, value in blobs:
                    saver.blobs[thread, ns, channel, version] = (kind, value)
                for thread, ns, cp, task, index, channel, blob, path in writes:
                    written = saver.writes[thread, ns, cp]
                    written[task, index] = (task, channel, tuple(blob), path)
            case _:
                raise corrupt(Kind.state, packed)
