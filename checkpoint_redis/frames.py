"""Frames by their names: what scripts and keys see of one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from distgraph.checkpoint.base.frames import parent_of, path_of, task_of


@dataclass(frozen=True, slots=True)
class FrameName:
    """The name of one line of checkpoints in a thread; the root's is ''.

    ``fingerprint`` is that of the graph, where it is known and is to be stored.
    """

    name: str = ""
    fingerprint: str = ""

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
