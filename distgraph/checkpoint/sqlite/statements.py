"""Every SQL statement of the SQLite saver; the tables are its own, all beginning with distgraph_.

A value stands with the name of its format (``type``); a version is whatever the caller counts with.
Where a value is needed twice the parameters have names, and are given as a dict.
"""

from __future__ import annotations

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS distgraph_checkpoints (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, id TEXT NOT NULL, parent_id TEXT,
        type TEXT NOT NULL, record BLOB NOT NULL, metadata_type TEXT NOT NULL,
        metadata BLOB NOT NULL, run_id TEXT,
        PRIMARY KEY (thread_id, ns, id)
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS distgraph_runs
    ON distgraph_checkpoints (run_id) WHERE run_id IS NOT NULL
    """,
    """
    CREATE TABLE IF NOT EXISTS distgraph_blobs (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, channel TEXT NOT NULL, version NOT NULL,
        type TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (thread_id, ns, channel, version)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS distgraph_writes (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL,
        type TEXT NOT NULL, value BLOB NOT NULL, task_path TEXT NOT NULL,
        PRIMARY KEY (thread_id, ns, checkpoint_id, task_id, idx)
    )
    """,
)

PUT = """
INSERT OR REPLACE INTO distgraph_checkpoints
    (thread_id, ns, id, parent_id, type, record, metadata_type, metadata, run_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
PUT_BLOB = "INSERT OR REPLACE INTO distgraph_blobs VALUES (?, ?, ?, ?, ?, ?)"
ADD_WRITE = "INSERT OR IGNORE INTO distgraph_writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# An upsert keeps the row's place in the order of insertion; a replaced row would lose it.
SET_WRITE = """
INSERT INTO distgraph_writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (thread_id, ns, checkpoint_id, task_id, idx)
DO UPDATE SET channel = excluded.channel, type = excluded.type,
    value = excluded.value, task_path = excluded.task_path
"""

ROW = "type, record, metadata_type, metadata, parent_id"
GET = f"SELECT {ROW} FROM distgraph_checkpoints WHERE thread_id = ? AND ns = ? AND id = ?"  # noqa: S608 constants
LATEST = "SELECT max(id) FROM distgraph_checkpoints WHERE thread_id = ? AND ns = ?"
GET_BLOB = """
SELECT type, value FROM distgraph_blobs
WHERE thread_id = ? AND ns = ? AND channel = ? AND version = ?
"""
GET_WRITES = """
SELECT task_id, channel, type, value FROM distgraph_writes
WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? ORDER BY rowid
"""
WRITTEN = """
SELECT rowid, type, value FROM distgraph_writes
WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? AND channel = ?
"""
REPLACE_WRITE = "UPDATE distgraph_writes SET type = ?, value = ? WHERE rowid = ?"
EXCERPTS = """
SELECT ns, channel, type, value FROM distgraph_writes WHERE thread_id = ? AND type = 'excerpt'
"""
LIST = """
SELECT thread_id, ns, id FROM distgraph_checkpoints
WHERE (:thread IS NULL OR thread_id = :thread) AND (:ns IS NULL OR ns = :ns)
    AND (:id IS NULL OR id = :id) AND (:before IS NULL OR id < :before)
ORDER BY id DESC
"""
GET_METADATA = """
SELECT metadata_type, metadata FROM distgraph_checkpoints
WHERE thread_id = ? AND ns = ? AND id = ?
"""

DELETE_THREAD = tuple(
    f"DELETE FROM distgraph_{table} WHERE thread_id = ?"  # noqa: S608 constants
    for table in ("checkpoints", "blobs", "writes")
)
OF_RUN = "SELECT DISTINCT thread_id FROM distgraph_checkpoints WHERE run_id = ?"
DELETE_RUN = "DELETE FROM distgraph_checkpoints WHERE run_id = ?"
HAS_THREAD = "SELECT 1 FROM distgraph_checkpoints WHERE thread_id = ? LIMIT 1"
COPY_THREAD = (
    """
    INSERT INTO distgraph_checkpoints
    SELECT :target, ns, id, parent_id, type, record, metadata_type, metadata, run_id
    FROM distgraph_checkpoints WHERE thread_id = :source
    """,
    """
    INSERT INTO distgraph_blobs
    SELECT :target, ns, channel, version, type, value FROM distgraph_blobs WHERE thread_id = :source
    """,
    """
    INSERT INTO distgraph_writes
    SELECT :target, ns, checkpoint_id, task_id, idx, channel, type, value, task_path
    FROM distgraph_writes WHERE thread_id = :source ORDER BY rowid
    """,
)
DELETE_OLD = """
DELETE FROM distgraph_checkpoints WHERE thread_id = :thread AND EXISTS (
    SELECT 1 FROM distgraph_checkpoints AS later
    WHERE later.thread_id = :thread AND later.ns = distgraph_checkpoints.ns
        AND later.id > distgraph_checkpoints.id
)
"""
METADATA = """
SELECT ns, id, metadata_type, metadata FROM distgraph_checkpoints WHERE thread_id = ?
"""
DELETE_ONE = "DELETE FROM distgraph_checkpoints WHERE thread_id = ? AND ns = ? AND id = ?"
RECORDS = "SELECT ns, type, record FROM distgraph_checkpoints WHERE thread_id = ?"
# Of the values only how far lists reach, which is small.
BLOB_KEYS = """
SELECT ns, channel, version, type, CASE type WHEN 'line' THEN value END FROM distgraph_blobs
WHERE thread_id = ?
"""
DELETE_BLOB = """
DELETE FROM distgraph_blobs WHERE thread_id = ? AND ns = ? AND channel = ? AND version = ?
"""
DELETE_ORPHANED_WRITES = """
DELETE FROM distgraph_writes WHERE thread_id = :thread AND NOT EXISTS (
    SELECT 1 FROM distgraph_checkpoints AS kept
    WHERE kept.thread_id = :thread AND kept.ns = distgraph_writes.ns
        AND kept.id = distgraph_writes.checkpoint_id
)
"""
