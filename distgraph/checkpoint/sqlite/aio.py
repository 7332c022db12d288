"""The saver in a SQLite file for programs on an event loop, under LangGraph's name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from distgraph._checked import checked
from distgraph.checkpoint.serde.base import SerializerProtocol
from distgraph.checkpoint.sqlite import SqliteSaver


@checked
class AsyncSqliteSaver(SqliteSaver):
    """What ``SqliteSaver`` is: its ``a...`` methods never block the loop. The others work as well.

    ``conn`` is a connection of the standard library, made with ``check_same_thread=False``.
    """

    @classmethod
    @asynccontextmanager
    async def from_conn_string(  # type: ignore[override]
        cls, conn_string: str | Path, *, serde: SerializerProtocol | None = None
    ) -> AsyncIterator[Self]:
        """Open the file ``conn_string`` (or ":memory:"), and close it at the end."""
        opened = super().from_conn_string(conn_string, serde=serde)
        saver = await asyncio.to_thread(opened.__enter__)
        try:
            yield saver
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)

    async def setup(self) -> None:  # type: ignore[override]
        """Create the tables that are missing; the constructor has done so."""
        await asyncio.to_thread(super().setup)
