"""The census on workers: what ``distgraph worker workers.demo.app:graph`` serves.

It is connected as DISTGRAPH_* says, or to the embedded Redis in DISTGRAPH_DEMO_FOLDER.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..backend import CeleryBackend
from .census import build
from .place import FOLDER_VARIABLE, GRAPH, embedded


def _connect() -> CeleryBackend:
    folder = os.environ.get(FOLDER_VARIABLE)
    return embedded(Path(folder))[0] if folder else CeleryBackend()


backend: Final = _connect()
graph: Final = build().compile(name=GRAPH, backend=backend)
app: Final = backend.app
