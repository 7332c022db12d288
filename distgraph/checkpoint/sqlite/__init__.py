"""A saver that keeps threads in one SQLite file, for programs of one machine."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from distgraph._allowed import HowMany
from distgraph._checked import checked
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
from distgraph.checkpoint.base.lists import Piece, Reached, divided, dump_lists, shared
from distgraph.checkpoint.base.saver import BaseCheckpointSaver
from distgraph.checkpoint.base.types import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    RunnableConfig,
)
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.sqlite import statements as sql
from distgraph.errors import ThreadNotFound

_Key = str | bytes
"""A text as it is stored: bytes when it holds lone surrogates, which SQLite's text cannot."""


@checked
class SqliteSaver(BaseCheckpointSaver):
    """Keeps checkpoints in tables of ``conn``, which may be shared by the threads of a process.

    Make ``conn`` with ``check_same_thread=False`` when more than one thread is to use it; the
    ``a...`` methods always do. Every call is one transaction.
    """

    def __init__(
        self, conn: sqlite3.Connection, *, serde: SerializerProtocol | None = None
    ) -> None:
        super().__init__(serde=serde)
        self.conn = conn
        self._lock = threading.RLock()
        self._create_tables()

    @classmethod
    @contextmanager
    def from_conn_string(
        cls, conn_string: str | Path, *, serde: SerializerProtocol | None = None
    ) -> Iterator[Self]:
        """Open the file ``conn_string`` (or ":memory:"), and close it at the end."""
        with closing(sqlite3.connect(conn_string, check_same_thread=False)) as conn:
            yield cls(conn, serde=serde)

    def setup(self) -> None:
        """Create the tables that are missing; the constructor has done so."""
        self._create_tables()

    def _create_tables(self) -> None:
        """Create what is missing; readers and a writer do not block each other."""
        with self._lock:
            if not self.conn.in_transaction:
                self.conn.execute("PRAGMA journal_mode = WAL").close()
            with self._transaction("IMMEDIATE"):
                for table in sql.TABLES:
                    self.conn.execute(table)

    @contextmanager
    def _transaction(self, mode: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        with self._lock:
            if not self.conn.in_transaction:
                self.conn.execute(f"BEGIN {mode}")
            try:
                yield self.conn
            except BaseException:
                self.conn.rollback()
                raise
            self.conn.commit()

    # --- writing ------------------------------------------------------------------------------

    def put(
        self,
        config: Mapping[str, Any],
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        thread, ns, parent = coordinates_of(config)
        where = _key(thread), _key(ns)
        known = get_checkpoint_metadata(config, metadata)
        run_id = known.get("run_id")
        row = (
            *where,
            checkpoint["id"],
            parent,
            *dump_record(self.serde, checkpoint),
            *dump(self.serde, "__metadata__", known),
            None if run_id is None else _key(str(run_id)),
        )
        whole, lists = divided(self.serde, checkpoint, new_versions)
        blobs = [
            (*where, _key(name), whole[channel_of(name)], *blob)
            for name, blob in dump_channels(self.serde, checkpoint, whole).items()
        ]
        with self._transaction("IMMEDIATE") as conn:
            found = dump_lists(self.serde, checkpoint, lists, self._finder(thread, ns))
            blobs += [(*where, _key(name), at, *blob) for name, at, blob in found]
            conn.executemany(sql.PUT_BLOB, blobs)
            for name in lists:
                self._share((*where, parent), name, found)
            conn.execute(sql.PUT, row)
        return Coordinates(thread, ns, checkpoint["id"]).config

    def _share(self, at: tuple[_Key, _Key, str | None], name: str, pieces: list[Piece]) -> None:
        """Have what tasks wrote of a list refer to what was just stored of it."""
        for rowid, kind, value in self.conn.execute(sql.WRITTEN, (*at, _key(name))).fetchall():
            if part := shared(name, (kind, value), pieces):
                self.conn.execute(sql.REPLACE_WRITE, (*part, rowid))

    def put_writes(
        self,
        config: Mapping[str, Any],
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        thread, ns, checkpoint_id = checkpoint_coordinates(config)
        at = _key(thread), _key(ns), checkpoint_id, task_id
        path = _key(task_path)
        rows = [
            (*at, WRITES_IDX_MAP.get(name, i), _key(name), *dump(self.serde, name, v), path)
            for i, (name, v) in enumerate(writes)
        ]
        with self._transaction("IMMEDIATE") as conn:
            for row in rows:
                conn.execute(sql.SET_WRITE if row[4] < 0 else sql.ADD_WRITE, row)

    # --- reading ------------------------------------------------------------------------------

    def get_tuple(self, config: Mapping[str, Any]) -> CheckpointTuple | None:
        place = coordinates_of(config)
        with self._transaction() as conn:
            where = _key(place.thread_id), _key(place.ns)
            found = place.checkpoint_id or conn.execute(sql.LATEST, where).fetchone()[0]
            return self._tuple(place._replace(checkpoint_id=found)) if found else None

    def _tuple(self, place: Coordinates) -> CheckpointTuple | None:
        at = _key(place.thread_id), _key(place.ns), place.checkpoint_id
        row = self.conn.execute(sql.GET, at).fetchone()
        if row is None:
            return None
        kind, record, metadata_kind, metadata, parent = row
        checkpoint = load_record(self.serde, (kind, record))
        checkpoint["channel_values"] = self._values(place, checkpoint["channel_versions"])
        return CheckpointTuple(
            place.config,
            checkpoint,
            self.serde.loads_typed((metadata_kind, metadata)),
            place._replace(checkpoint_id=parent).config if parent else None,
            self._writes(at, self._finder(place.thread_id, place.ns)),
        )

    def _values(self, place: Coordinates, versions: ChannelVersions) -> dict[str, Any]:
        find = self._finder(place.thread_id, place.ns)
        values = {name: load_channel(self.serde, name, v, find) for name, v in versions.items()}
        return {name: value for name, value in values.items() if value is not MISSING}

    def _finder(self, thread: str, ns: str) -> Find:
        where = _key(thread), _key(ns)

        def find(name: str, version: Any) -> Typed:
            blob = self.conn.execute(sql.GET_BLOB, (*where, _key(name), version)).fetchone()
            return blob or EMPTY

        return find

    def _writes(self, at: tuple[_Key, _Key, str | None], find: Find) -> list[PendingWrite]:
        rows = self.conn.execute(sql.GET_WRITES, at).fetchall()
        named = ((task, _text(name), (kind, value)) for task, name, kind, value in rows)
        return [
            (task, name, load_write(self.serde, name, blob, find)) for task, name, blob in named
        ]

    def list(
        self,
        config: Mapping[str, Any] | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 the name is LangGraph's
        before: Mapping[str, Any] | None = None,
        limit: HowMany | None = None,
    ) -> Iterator[CheckpointTuple]:
        left = limit
        for place in self._places(config, before):
            if left is not None and left <= 0:
                return
            with self._transaction() as conn:
                at = _key(place.thread_id), _key(place.ns), place.checkpoint_id
                metadata = conn.execute(sql.GET_METADATA, at).fetchone()
                wanted = metadata and matches(self.serde.loads_typed(metadata), filter)
                found = self._tuple(place) if wanted else None
            if found is not None:
                left = None if left is None else left - 1
                yield found

    def _places(
        self, config: Mapping[str, Any] | None, before: Mapping[str, Any] | None
    ) -> Sequence[Coordinates]:
        """Return where the checkpoints are that ``config`` may mean, newest first."""
        thread: _Key | None = None
        ns: _Key | None = None
        checkpoint_id = None
        if config:
            place = coordinates_of(config)
            thread, checkpoint_id = _key(place.thread_id), place.checkpoint_id
            given = config["configurable"].get("checkpoint_ns")
            ns = None if given is None else _key(given)
        wanted = {
            "thread": thread,
            "ns": ns,
            "id": checkpoint_id,
            "before": get_checkpoint_id(before) if before else None,
        }
        with self._transaction() as conn:
            rows = conn.execute(sql.LIST, wanted).fetchall()
        return [Coordinates(_text(thread), _text(ns), found) for thread, ns, found in rows]

    # --- threads ------------------------------------------------------------------------------

    def delete_thread(self, thread_id: str) -> None:
        with self._transaction("IMMEDIATE") as conn:
            for statement in sql.DELETE_THREAD:
                conn.execute(statement, (_key(str(thread_id)),))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        with self._transaction("IMMEDIATE") as conn:
            for run in map(str, run_ids):
                threads = conn.execute(sql.OF_RUN, (_key(run),)).fetchall()
                conn.execute(sql.DELETE_RUN, (_key(run),))
                for (thread,) in threads:
                    self._drop_orphans(thread)
                    self._forget(thread)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        source, target = _key(str(source_thread_id)), _key(str(target_thread_id))
        with self._transaction("IMMEDIATE") as conn:
            if conn.execute(sql.HAS_THREAD, (source,)).fetchone() is None:
                raise ThreadNotFound(f"There is no thread {source_thread_id!r} to copy.")
            if conn.execute(sql.HAS_THREAD, (target,)).fetchone():
                raise ValueError(
                    f"The thread {target_thread_id!r} has checkpoints already: delete it first."
                )
            for statement in sql.COPY_THREAD:
                conn.execute(statement, {"source": source, "target": target})

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"strategy must be 'keep_latest' or 'delete', not {strategy!r}")
        with self._lock:
            for thread in thread_ids:
                if strategy == "delete":
                    self.delete_thread(thread)
                else:
                    self._keep_latest(_key(str(thread)))

    def _keep_latest(self, thread: _Key) -> None:
        with self._transaction("IMMEDIATE") as conn:
            conn.execute(sql.DELETE_OLD, {"thread": thread})
            self._drop_orphans(thread)
            self._forget(thread)

    def _drop_orphans(self, thread: _Key) -> None:
        """Drop the checkpoints of called graphs that were called from one that is gone."""
        rows = self.conn.execute(sql.METADATA, (thread,))
        stored = {(_text(ns), cp): (kind, blob) for ns, cp, kind, blob in rows}

        def parents(at: tuple[str, str]) -> Mapping[str, str]:
            found: Mapping[str, str] = self.serde.loads_typed(stored[at]).get("parents", {})
            return found

        orphans = with_orphans({at: at for at in stored}, (), parents)
        self.conn.executemany(sql.DELETE_ONE, [(thread, _key(ns), cp) for ns, cp in orphans])

    def _forget(self, thread: _Key) -> None:
        """Drop the values and writes of a thread that no checkpoint refers to any more."""
        used = {
            (ns, _key(channel), version)
            for ns, kind, record in self.conn.execute(sql.RECORDS, (thread,))
            for channel, version in load_record(self.serde, (kind, record))[
                "channel_versions"
            ].items()
        }
        self.conn.execute(sql.DELETE_ORPHANED_WRITES, {"thread": thread})
        stored = self.conn.execute(sql.BLOB_KEYS, (thread,)).fetchall()
        lines = [
            ((ns, name), (kind, value))
            for ns, name, at, kind, value in stored
            if (ns, name, at) in used
        ]
        written = self.conn.execute(sql.EXCERPTS, (thread,)).fetchall()
        lines += [((ns, name), (kind, value)) for ns, name, kind, value in written]
        reached = Reached(lines)
        unused = [
            (thread, ns, name, version)
            for ns, name, version, _, _ in stored
            if (ns, _key(channel_of(_text(name))), version) not in used
            and not reached.needs((ns, name), version)
        ]
        self.conn.executemany(sql.DELETE_BLOB, unused)


def _key(text: str) -> _Key:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _text(key: _Key) -> str:
    return key if isinstance(key, str) else key.decode("utf-8", "surrogatepass")
