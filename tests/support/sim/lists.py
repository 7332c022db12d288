"""The list of the simulation, which grows by what supersteps append and is stored in segments.

Whoever goes on from a checkpoint continues its line, or begins another one, as
``distgraph/checkpoint/lines.py`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from checkpoint_redis import references
from checkpoint_redis.references import Blobs, Extent
from distgraph.checkpoint.lines import check_of
from distgraph.core.model import Line
from tests.support.sim.draw import Draw

LIST = "list"
SERIALIZER = b"\x00"
"""With such a byte begins each segment; it is not among the items that are compared."""


@dataclass(frozen=True, slots=True)
class Grown:
    """How the list stands at a checkpoint: its items, and so many segments of a line.

    `fresh` items at the end are in the last segment, which comes with the checkpoint; 0: none does.
    Each item has at least `item_bytes`.
    """

    items: tuple[str, ...]
    line: str
    item_bytes: int
    segments: int = 1
    fresh: int = 0

    @classmethod
    def begun(cls, items: tuple[str, ...], draw: Draw) -> Grown:
        """Return the list with a line of its own, which has all of it."""
        return cls(items, draw.nonce(), draw.item_bytes, 1, len(items))

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Grown:
        return cls(**{**fields, "items": tuple(fields["items"])})

    def then(self, item: str, blobs: Blobs, draw: Draw) -> Grown:
        """Return what follows: mostly something is appended; `blobs` may close the line for it."""
        p = draw.number()
        if p < 0.2:
            return replace(self, fresh=0)
        if p < 0.3 or not self._is_open(blobs):
            return self.begun((*self.items, item), draw)
        return Grown((*self.items, item), self.line, self.item_bytes, self.segments + 1, 1)

    def _is_open(self, blobs: Blobs) -> bool:
        known = Line(self.line, self.segments, len(self.items), 1, b"known")
        return bool(references.read_lines({LIST: known}, blobs)[LIST].digest)

    @property
    def ref(self) -> Extent:
        whole = self._encoded(self.items)
        digest = crc32(whole).to_bytes(4, "big")
        line = Line(self.line, self.segments, len(self.items), len(whole), digest)
        return Extent(references.name_of(LIST, self.line), self.segments, check_of(line))

    @property
    def names(self) -> tuple[str, ...]:
        return references.names((self.ref,))

    def segment(self) -> dict[str, bytes]:
        """Return what comes with the checkpoint, by its name."""
        new = self.items[len(self.items) - self.fresh :]
        return {self.names[-1]: SERIALIZER + self._encoded(new)} if new else {}

    def check(self, blobs: Blobs) -> None:
        """All segments are there, with the items that belong to them."""
        found = [blobs.get(name) for name in self.names]
        missing = [name for name, blob in zip(self.names, found, strict=True) if blob is None]
        assert not missing, f"segments are missing: {missing}"
        whole = b"".join(blob.removeprefix(SERIALIZER) for blob in found if blob is not None)
        right = whole == self._encoded(self.items)
        assert right, f"the list is {whole.replace(b'.', b'')!r}, and should be {self.items}"

    def _encoded(self, items: tuple[str, ...]) -> bytes:
        return b"".join(f"{item};".encode().ljust(self.item_bytes, b".") for item in items)
