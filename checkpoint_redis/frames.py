"""Frames by their names: what scripts and keys see of one, and what its name tells.

A name is LangGraph's: ``node:task id|node:task id``, without the ids where a graph keeps its state
from run to run, and with ``|1`` behind it from the second call in a task on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrameName:
    """One line of checkpoints in a thread; the root's name is ''."""

    name: str = ""

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
        return FrameName("|".join(self._own[:-1]))

    @property
    def task(self) -> str:
        """The id of the task around it; '' where the name has none, as it outlives its tasks."""
        return self._own[-1].partition(":")[2]

    @property
    def path(self) -> str:
        """The names of nodes from the root graph on."""
        parts = (part.partition(":")[0] for part in self.name.split("|"))
        return "|".join(part for part in parts if not part.isdigit())

    @property
    def _own(self) -> list[str]:
        """The parts of the name without the number of a further call."""
        parts = self.name.split("|")
        return parts[:-1] if parts[-1].isdigit() else parts
