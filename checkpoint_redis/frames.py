"""Frames by their names: what scripts and keys see of one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distgraph.checkpoint.base.frames import parent_of, path_of, task_of
from distgraph.core.model import GRAPH, NAME


@dataclass(frozen=True, slots=True)
class FrameName:
    """The name of one line of checkpoints in a thread; the root's is ''.

    ``graph`` and ``fingerprint`` are the graph's, where it is known and is to be stored.
    """

    name: str = ""
    graph: str = ""
    fingerprint: str = ""

    @classmethod
    def of(cls, name: str, metadata: Mapping[str, Any]) -> FrameName:
        """Return the name of a frame, with what a checkpoint's ``metadata`` tell of its graph."""
        return cls(name, str(metadata.get(NAME, "")), str(metadata.get(GRAPH, "")))

    @property
    def hash(self) -> str:
        """What scripts, keys, messages and due entries see: 16 hex digits, '' for the root."""
        if not self.name:
            return ""
        text = self.name.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=8).hexdigest()

    @property
    def parent(self) -> FrameName:
        """The frame of the task around it."""
        return FrameName(parent_of(self.name))

    @property
    def task(self) -> str:
        """The id of the task around it, '' where the name has none."""
        return task_of(self.name)

    @property
    def path(self) -> str:
        """The names of nodes from the root graph on."""
        return "|".join(path_of(self.name))
