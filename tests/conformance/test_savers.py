"""Every saver that is part of the project does what the conformance suite says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.conformance import SaverConformance
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.serde.encrypted import EncryptedSerializer
from distgraph.checkpoint.sqlite import SqliteSaver
from distgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


class TestInMemorySaver(SaverConformance):
    @pytest.fixture
    def saver(self) -> BaseCheckpointSaver:
        return InMemorySaver()


class TestSqliteSaver(SaverConformance):
    @pytest.fixture
    def saver(self, tmp_path: Path) -> Iterator[BaseCheckpointSaver]:
        with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
            yield saver


class TestAsyncSqliteSaver(SaverConformance):
    @pytest.fixture
    async def saver(self, tmp_path: Path) -> AsyncIterator[BaseCheckpointSaver]:
        async with AsyncSqliteSaver.from_conn_string(tmp_path / "threads.sqlite") as saver:
            await saver.setup()
            yield saver


class TestSaverOfEncryptedValues(SaverConformance):
    @pytest.fixture
    def saver(self) -> BaseCheckpointSaver:
        serde = EncryptedSerializer.from_pycryptodome_aes(key=bytes(32))
        return InMemorySaver(serde=serde)


class Strict(sqlite3.Connection):
    """Refuses on every Python what is deprecated since 3.12: named parameters from a sequence."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        refuse_mixed(sql, parameters)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        rows = list(parameters)
        for row in rows:
            refuse_mixed(sql, row)
        return super().executemany(sql, rows)


def refuse_mixed(sql: str, parameters: Any) -> None:
    named = re.search(r"[:@$]\w|\?\d", sql) is not None
    if named is not isinstance(parameters, Mapping):
        message = f"{type(parameters)} for {sql}"
        raise sqlite3.ProgrammingError(message)


class TestSqliteSaverInMemory(SaverConformance):
    @pytest.fixture
    def saver(self) -> Iterator[BaseCheckpointSaver]:
        options: Any = {"check_same_thread": False, "factory": Strict}
        with closing(sqlite3.connect(":memory:", **options)) as connection:
            yield SqliteSaver(connection)


@pytest.mark.parametrize("sql", ["SELECT :a", "SELECT ?1", "SELECT @a", "SELECT $a"])
def test_named_parameters_from_a_sequence_are_noticed(sql: str) -> None:
    with closing(sqlite3.connect(":memory:", factory=Strict)) as connection:
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute(sql, (1,))
        assert connection.execute("SELECT ?", (1,)).fetchone() == (1,)
