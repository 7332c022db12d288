"""What this process calls the tasks that it will send again, since the scripts tell ids alone."""

from __future__ import annotations

from collections import OrderedDict

MOST = 1_000
"""So many are remembered; of more, those that were noted last."""


class Labels:
    """Remembers what tasks are called until they are sent; it may be used by any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def note(self, tid: str, name: str) -> None:
        """Remember what a task is called, which another process may send instead."""
        self._known[tid] = name
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def take(self, tid: str) -> str:
        """Return what a task is called, '' = not known here, and forget it."""
        return self._known.pop(tid, "")
