"""Where a demonstration's threads live: an embedded Redis in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from ..backend import CeleryBackend
from ..embedded.membership import Membership, join

GRAPH = "census"
FOLDER_VARIABLE = "DISTGRAPH_DEMO_FOLDER"


def embedded(folder: Path) -> tuple[CeleryBackend, Membership]:
    """Return a backend that keeps everything in the Redis in ``folder``, and the hold on that.

    Settings of the environment that point elsewhere are left alone. Raises StoreUnavailable.
    """
    lease = join(folder)
    return CeleryBackend(lease.url, broker=lease.url, namespace="demo"), lease
