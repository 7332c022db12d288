"""Every saver that is part of the project does what the conformance suite says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from distgraph.checkpoint.base import BaseCheckpointSaver
from distgraph.checkpoint.conformance import SaverConformance
from distgraph.checkpoint.memory import InMemorySaver
from distgraph.checkpoint.sqlite import SqliteSaver


class TestInMemorySaver(SaverConformance):
    @pytest.fixture
    def saver(self) -> BaseCheckpointSaver:
        return InMemorySaver()


class TestSqliteSaver(SaverConformance):
    @pytest.fixture
    def saver(self, tmp_path: Path) -> Iterator[BaseCheckpointSaver]:
        with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
            yield saver


class TestSqliteSaverInMemory(SaverConformance):
    @pytest.fixture
    def saver(self) -> Iterator[BaseCheckpointSaver]:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver
