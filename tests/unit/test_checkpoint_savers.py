"""What one saver does besides the conformance suite: its layout, its frugality, its sharing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.base.blobs import load_record
from distgraph.checkpoint.base.types import TASKS
from distgraph.checkpoint.conformance import LOOP, TASK, at, get, id_of, make, put
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.errors import CorruptRecord, DeserializationError
from distgraph.types import Send


def test_memory_keeps_records_writes_and_blobs_by_where_they_belong() -> None:
    saver = InMemorySaver()
    config = put(saver, at("t"), {"n": 1})
    saver.put_writes(config, [("n", 2)], TASK, "path")
    cid = id_of(config)
    assert list(saver.storage["t"][""]) == [cid]
    assert list(saver.blobs) == [("t", "", "n", cid)]
    assert list(saver.writes) == [("t", "", cid)]
    assert list(saver.writes["t", "", cid]) == [(TASK, 0)]
    assert saver.writes["t", "", cid][TASK, 0][1] == "n"


def test_reading_an_unknown_thread_leaves_no_trace_in_memory() -> None:
    saver = InMemorySaver()
    assert saver.get_tuple(at("t")) is None
    assert list(saver.list(at("t"))) == []
    assert not saver.storage
    assert not saver.writes


def test_memory_drops_the_values_that_nothing_refers_to() -> None:
    saver = InMemorySaver()
    first = put(saver, at("t"), {"n": 1})
    saver.put_writes(first, [("n", 2)], TASK)
    last = put(saver, first, {"n": 2})
    saver.prune(["t"])
    assert [key[3] for key in saver.blobs] == [id_of(last)]
    assert not saver.writes


def test_sqlite_drops_the_values_that_nothing_refers_to() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        first = put(saver, at("t"), {"n": 1})
        saver.put_writes(first, [("n", 2)], TASK)
        last = put(saver, first, {"n": 2})
        saver.prune(["t"])
        versions = saver.conn.execute("SELECT version FROM distgraph_blobs").fetchall()
        assert versions == [(id_of(last),)]
        assert saver.conn.execute("SELECT * FROM distgraph_writes").fetchall() == []


SAVERS: dict[str, Callable[[], AbstractContextManager[BaseCheckpointSaver]]] = {
    "memory": lambda: nullcontext(InMemorySaver()),
    "sqlite": lambda: SqliteSaver.from_conn_string(":memory:"),
}


def stored_names(saver: BaseCheckpointSaver) -> list[str]:
    """Return the names under which the saver has bytes of channels."""
    if isinstance(saver, InMemorySaver):
        return sorted(key[2] for key in saver.blobs)
    assert isinstance(saver, SqliteSaver)
    return sorted(
        name for (name,) in saver.conn.execute("SELECT channel FROM distgraph_blobs").fetchall()
    )


@pytest.fixture(params=SAVERS)
def local(request: pytest.FixtureRequest) -> Iterator[BaseCheckpointSaver]:
    with SAVERS[request.param]() as saver:
        yield saver


def test_sends_are_kept_one_by_one_and_go_with_their_checkpoint(local: BaseCheckpointSaver) -> None:
    saver, sends = local, [Send("n", "one"), Send("m", ["two"])]
    first = put(saver, at("t"), {TASKS: sends})
    assert stored_names(saver) == [TASKS, f"{TASKS}|0", f"{TASKS}|1"]
    saver.copy_thread("t", "copy")
    put(saver, first, {})
    assert get(saver, first).checkpoint["channel_values"] == {TASKS: sends}
    saver.prune(["t"])
    assert stored_names(saver) == [TASKS, f"{TASKS}|0", f"{TASKS}|1"]
    assert get(saver, at("copy")).checkpoint["channel_values"] == {TASKS: sends}
    saver.delete_thread("copy")
    assert stored_names(saver) == []


def test_sqlite_writes_an_unchanged_channel_once() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        config = put(saver, at("t"), {"big": "x" * 1000, "n": 0})
        big = get(saver, config).checkpoint["channel_versions"]["big"]
        for number in range(5):
            checkpoint = make({"big": "x" * 1000, "n": number}, id_of(config))
            versions = checkpoint["channel_versions"]
            versions["big"] = big
            config = saver.put(config, checkpoint, LOOP, {"n": versions["n"]})
        count = "SELECT count(*) FROM distgraph_blobs WHERE channel = 'big'"
        assert saver.conn.execute(count).fetchone() == (1,)


def test_a_sqlite_file_outlives_its_saver(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        config = put(saver, at("t"), {"n": 1})
        mode = saver.conn.execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)
    with SqliteSaver.from_conn_string(path) as saver:
        assert get(saver, at("t")).config == config


def test_two_connections_share_a_sqlite_file(tmp_path: Path) -> None:
    path = str(tmp_path / "threads.sqlite")
    with (
        SqliteSaver.from_conn_string(path) as one,
        SqliteSaver.from_conn_string(path) as other,
    ):
        config = put(one, at("t"), {"n": 1})
        assert get(other, at("t")).config == config
        other.delete_thread("t")
        assert one.get_tuple(config) is None


def test_sqlite_takes_a_connection_in_any_transaction_mode() -> None:
    for options in ({}, {"isolation_level": None}, {"isolation_level": "IMMEDIATE"}):
        conn = sqlite3.connect(":memory:", check_same_thread=False, **options)
        saver = SqliteSaver(conn)
        config = put(saver, at("t"), {"n": 1})
        assert get(saver, config).checkpoint["channel_values"] == {"n": 1}
        assert not conn.in_transaction
        conn.close()


def test_a_sqlite_call_that_fails_changes_nothing() -> None:
    with SqliteSaver.from_conn_string(":memory:") as saver:
        saver.conn.execute("DROP TABLE distgraph_checkpoints")
        with pytest.raises(sqlite3.OperationalError):
            put(saver, at("t"), {"n": 1})
        assert saver.conn.execute("SELECT * FROM distgraph_blobs").fetchall() == []
        saver.setup()
        put(saver, at("t"), {"n": 1})


def test_a_damaged_value_is_named() -> None:
    saver = InMemorySaver()
    config = put(saver, at("t"), {"n": 1})
    saver.blobs["t", "", "n", id_of(config)] = ("msgpack", b"\x01\xc1")
    with pytest.raises(DeserializationError, match="State key 'n'"):
        saver.get_tuple(config)


@pytest.mark.parametrize(
    "record", [None, {}, {"channel_versions": {}}, [1], [1, {"channel_versions": 1}]]
)
def test_a_record_that_is_no_checkpoint_is_refused(record: Any) -> None:
    serializer = JsonPlusSerializer()
    with pytest.raises(CorruptRecord):
        load_record(serializer, serializer.dumps_typed(record))
