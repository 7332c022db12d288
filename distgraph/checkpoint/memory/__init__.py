"""A saver that keeps everything in this process, as bytes, so that nobody can change it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from distgraph._allowed import HowMany
from distgraph._checked import checked
from distgraph._elsewhere import missing_in
from distgraph.channels.base import MISSING
from distgraph.checkpoint.base.blobs import (
    EMPTY,
    Find,
    Typed,
    channel_of,
    dump,
    dump_channels,
    dump_record,
    load_channel,
    load_record,
    load_write,
    matches,
)
from distgraph.checkpoint.base.config import (
    Coordinates,
    checkpoint_coordinates,
    coordinates_of,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from distgraph.checkpoint.base.frames import with_orphans
from distgraph.checkpoint.base.lists import Reached, divided, dump_lists, shared
from distgraph.checkpoint.base.saver import BaseCheckpointSaver
from distgraph.checkpoint.base.types import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    RunnableConfig,
)
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.errors import ThreadNotFound

P = ParamSpec("P")
T = TypeVar("T")
Stored = tuple[Typed, Typed, str | None]
"""A checkpoint without its channel values, its metadata, the id of its parent."""
Written = tuple[str, str, Typed, str]
"""Task id, channel, value, task path."""
At = tuple[str, str, str]
"""Thread id, ns, checkpoint id."""


@checked
class InMemorySaver(BaseCheckpointSaver):
    """Keeps checkpoints in this process: for tests, notebooks, and runs that need no more.

    ``storage`` is thread id -> ns -> checkpoint id -> record; ``writes`` are the pending writes by
    (thread id, ns, checkpoint id), then (task id, index); ``blobs`` the values of channels by
    (thread id, ns, channel, version), the Sends one by one, lists that grow in segments. Any class
    may be stored, since no byte leaves the process.
    """

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None = None,
        factory: type[defaultdict[Any, Any]] = defaultdict,
    ) -> None:
        super().__init__(serde=JsonPlusSerializer(learn=True) if serde is None else serde)
        self._learns = serde is None
        self.storage: defaultdict[str, dict[str, dict[str, Stored]]] = factory(dict)
        self.writes: defaultdict[At, dict[tuple[str, int], Written]] = factory(dict)
        self.blobs: dict[tuple[str, str, str, Any], Typed] = factory()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Keep everything: the saver lives as long as somebody holds it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Keep everything, as ``__exit__`` does."""

    def with_allowlist(self, types: Iterable[type]) -> Self:
        """Return this saver when it learns the classes by itself."""
        return self if self._learns else super().with_allowlist(types)

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return call(*args, **kwargs)  # nothing here waits

    # --- writing ------------------------------------------------------------------------------

    def put(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        thread, ns, parent = coordinates_of(config)
        whole, lists = divided(self.serde, checkpoint, new_versions)
        blobs = dump_channels(self.serde, checkpoint, whole)
        stored = (
            dump_record(self.serde, checkpoint),
            dump(self.serde, "__metadata__", get_checkpoint_metadata(config, metadata)),
            parent,
        )
        if lists:
            self._put_lists((thread, ns, parent or ""), checkpoint, lists)
        for channel, blob in blobs.items():
            self.blobs[thread, ns, channel, new_versions[channel_of(channel)]] = blob
        self.storage[thread].setdefault(ns, {})[checkpoint["id"]] = stored
        return Coordinates(thread, ns, checkpoint["id"]).config

    def _put_lists(self, parent: At, checkpoint: Checkpoint, lists: ChannelVersions) -> None:
        """Store what is new of ``lists``, once: what tasks wrote of it refers to it from now on."""
        thread, ns, _ = parent
        with self._lock:
            found = dump_lists(self.serde, checkpoint, lists, self._finder(thread, ns))
            self.blobs.update({(thread, ns, name, at): blob for name, at, blob in found})
        written = self.writes.get(parent, {})
        for key, (task, channel, blob, path) in list(written.items()):
            if channel in lists and (part := shared(channel, blob, found)):
                written[key] = task, channel, part, path

    def put_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        at = checkpoint_coordinates(config)
        encoded = [
            ((task_id, WRITES_IDX_MAP.get(channel, index)), channel, dump(self.serde, channel, v))
            for index, (channel, v) in enumerate(writes)
        ]
        kept = self.writes[at]
        for key, channel, blob in encoded:
            if key[1] < 0 or key not in kept:
                kept[key] = (task_id, channel, blob, task_path)

    # --- reading ------------------------------------------------------------------------------

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        thread, ns, checkpoint_id = coordinates_of(config)
        stored = self.storage.get(thread, {}).get(ns, {})
        found = checkpoint_id or max(stored, default="")
        return (
            self._tuple(Coordinates(thread, ns, found), stored[found]) if found in stored else None
        )

    def _tuple(self, place: Coordinates, stored: Stored) -> CheckpointTuple:
        record, metadata, parent = stored
        checkpoint = load_record(self.serde, record)
        checkpoint["channel_values"] = self._values(place, checkpoint["channel_versions"])
        find = self._finder(place.thread_id, place.ns)
        written = list(self.writes.get((place.thread_id, place.ns, place[2] or ""), {}).values())
        return CheckpointTuple(
            place.config,
            checkpoint,
            self.serde.loads_typed(metadata),
            Coordinates(place.thread_id, place.ns, parent).config if parent else None,
            [
                (task, name, load_write(self.serde, name, blob, find))
                for task, name, blob, _ in written
            ],
        )

    def _values(self, place: Coordinates, versions: ChannelVersions) -> dict[str, Any]:
        find = self._finder(place.thread_id, place.ns)
        values = {name: load_channel(self.serde, name, v, find) for name, v in versions.items()}
        return {name: value for name, value in values.items() if value is not MISSING}

    def _finder(self, thread: str, ns: str) -> Find:
        return lambda name, version: self.blobs.get((thread, ns, name, version), EMPTY)

    def list(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> Iterator[CheckpointTuple]:
        older_than = get_checkpoint_id(before) if before else None
        left = limit
        for at in sorted(self._places(config), key=lambda at: at[2], reverse=True):
            if left is not None and left <= 0:
                return
            stored = self.storage.get(at[0], {}).get(at[1], {}).get(at[2])
            if stored is None or (older_than is not None and at[2] >= older_than):
                continue
            if matches(self.serde.loads_typed(stored[1]), filter):
                left = None if left is None else left - 1
                yield self._tuple(Coordinates(*at), stored)

    def _places(self, config: Mapping[str, Any] | None) -> Iterator[At]:
        """Yield where the checkpoints are that ``config`` may mean."""
        place = coordinates_of(config) if config else None
        ns = config["configurable"].get("checkpoint_ns") if config else None
        threads = list(self.storage) if place is None else [place.thread_id]
        for thread in threads:
            for found, stored in list(self.storage.get(thread, {}).items()):
                for checkpoint_id in list(stored) if ns is None or ns == found else ():
                    if not place or place.checkpoint_id in (None, checkpoint_id):
                        yield thread, found, checkpoint_id

    # --- threads ------------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        self.storage.pop(str(thread_id), None)
        self._forget(str(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        runs = set(map(str, run_ids))
        touched = set()
        for thread, ns, checkpoint_id in list(self._places(None)):
            _, metadata, _ = self.storage[thread][ns][checkpoint_id]
            if self.serde.loads_typed(metadata).get("run_id") in runs:
                del self.storage[thread][ns][checkpoint_id]
                touched.add(thread)
        for thread in touched:
            self._drop_orphans(thread)
            self._forget(thread)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        source, target = str(source_thread_id), str(target_thread_id)
        if not self.storage.get(source):
            raise ThreadNotFound(f"There is no thread {source!r} to copy.")
        if self.storage.get(target):
            raise ValueError(f"The thread {target!r} has checkpoints already: delete it first.")
        for key, blob in list(self.blobs.items()):
            if key[0] == source:
                self.blobs[target, *key[1:]] = blob
        for at, written in list(self.writes.items()):
            if at[0] == source:
                self.writes[target, *at[1:]] = dict(written)
        self.storage[target] = {ns: dict(kept) for ns, kept in self.storage[source].items()}

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
        for thread in map(str, thread_ids):
            if strategy == "delete":
                self.delete_thread(thread)
                continue
            for ns, kept in self.storage.get(thread, {}).items():
                self.storage[thread][ns] = {max(kept): kept[max(kept)]} if kept else {}
            self._drop_orphans(thread)
            self._forget(thread)

    def _drop_orphans(self, thread: str) -> None:
        """Drop the checkpoints of called graphs that were called from one that is gone."""
        frames = self.storage.get(thread, {})
        found = {(ns, cp): (ns, cp) for ns, kept in frames.items() for cp in kept}
        for ns, cp in with_orphans(found, (), lambda at: self._parents(frames[at[0]][at[1]])):
            del frames[ns][cp]

    def _parents(self, stored: Stored) -> Mapping[str, str]:
        parents: Mapping[str, str] = self.serde.loads_typed(stored[1]).get("parents", {})
        return parents

    def _forget(self, thread: str) -> None:
        """Drop the values and writes of a thread that no checkpoint refers to any more."""
        kept = self.storage.get(thread, {})
        used = {
            (thread, ns, channel, version)
            for ns, stored in kept.items()
            for record, _, _ in stored.values()
            for channel, version in load_record(self.serde, record)["channel_versions"].items()
        }
        for at in [at for at in list(self.writes) if at[0] == thread]:
            if at[2] not in kept.get(at[1], {}):
                self.writes.pop(at, None)
        lists = [(key[1:3], self.blobs.get(key, EMPTY)) for key in used]
        lists += [((ns, name), blob) for ns, name, blob in self._written(thread)]
        reached = Reached(lists)
        for key in [key for key in list(self.blobs) if key[0] == thread]:
            _, ns, name, version = key
            is_used = (thread, ns, channel_of(name), version) in used
            if not is_used and not reached.needs((ns, name), version):
                self.blobs.pop(key, None)

    def _written(self, thread: str) -> Iterator[tuple[str, str, Typed]]:
        """Yield namespace, channel and value of what the tasks of a thread wrote."""
        for (of, ns, _), writes in list(self.writes.items()):
            for _, name, blob, _ in list(writes.values()) if of == thread else ():
                yield ns, name, blob


MemorySaver = InMemorySaver

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
