"""Says so when a run waits because nobody serves its graph."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from typing import Any

from checkpoint_redis import commands
from checkpoint_redis.layout import GraphName

from ..shared.served import Served
from ..shared.serving import lives
from .effects import Effect

log = logging.getLogger(__name__)


def warn_if_unserved(served: Served, namespace: str, run: str) -> Generator[Effect, Any, None]:
    """Say so when nobody serves the graph: once for all runs of it that this process waits for."""
    notice, label = served.unserved, served.label
    if not notice.takes_look(time.monotonic()):
        return
    workers = yield commands.workers(namespace)
    alive = [worker for worker in workers if lives(worker)]
    graph = served.graph.name
    versions = {name for worker in alive for name in worker.graphs if _is_of(name, graph)}
    if notice.is_news(versions, time.monotonic()) and label not in versions:
        log.warning(
            "Run %s waits: no live worker serves graph %s%s. Start one: distgraph worker "
            "MODULE:GRAPH. What other runs of the graph wait for is not said again.",
            run,
            label,
            f", but {', '.join(sorted(versions))}" if versions else "",
        )


def _is_of(label: str, graph: str) -> bool:
    """Whether what a worker serves is a version of ``graph``."""
    return label.rpartition(GraphName.separator)[0] == graph
