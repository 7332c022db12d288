"""What the workflow around a call has saved before, which is read only where somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checkpoint_redis.stored import Archive

from .desk import Desk


class Earlier(Mapping[str, Any]):
    """The values of the checkpoint ``cp`` of the frame ``ns``, read when the first is wanted."""

    def __init__(self, desk: Desk, archive: Archive, ns: str, cp: str) -> None:
        self._desk, self._archive, self._at = desk, archive, (ns, cp)
        self._read: Mapping[str, Any] | None = None

    @property
    def _values(self) -> Mapping[str, Any]:
        if self._read is None:
            _, found = self._desk.read_inner(self._archive, *self._at)
            self._read = found.checkpoint["channel_values"] if found else {}
        return self._read

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
