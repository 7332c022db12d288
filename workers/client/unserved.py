"""Says so when a run waits because nobody serves its graph, or takes from a queue of its nodes."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable
from typing import Any, Final

from checkpoint_redis import commands
from checkpoint_redis.layout import GraphName
from checkpoint_redis.sightings import WorkerSeen

from ..shared.served import Served
from ..shared.serving import lives
from .effects import Effect

log: Final = logging.getLogger(__name__)


def warn_if_unserved(served: Served, namespace: str, run: str) -> Generator[Effect, Any, None]:
    """Say so when nobody serves the graph, or a queue: once for all runs that are waited for."""
    notice, label = served.unserved, served.label
    if not notice.takes_look(time.monotonic()):
        return
    workers = yield commands.workers(namespace)
    alive = [worker for worker in workers if lives(worker)]
    graph = served.graph.name
    versions = {name for worker in alive for name in worker.graphs if _is_of(name, graph)}
    deserted = _deserted(served, alive)
    if not notice.is_news((versions, deserted), time.monotonic()):
        return
    if label not in versions:
        log.warning(
            "Run %s waits: no live worker serves graph %s%s. Start one: distgraph worker "
            "MODULE:GRAPH. What other runs of the graph wait for is not said again.",
            run,
            label,
            f", but {', '.join(sorted(versions))}" if versions else "",
        )
    elif deserted:
        log.warning(
            "Run %s may wait: no live worker of graph %s consumes %s, where nodes of it run. Start "
            "one that does (-Q). What other runs of the graph wait for is not said again.",
            run,
            label,
            ", ".join(f"queue '{queue}'" for queue in deserted),
        )


def _deserted(served: Served, alive: Iterable[WorkerSeen]) -> tuple[str, ...]:
    """Return the queues of nodes that nobody consumes who has the graph."""
    consumed = {queue for worker in alive for queue in worker.queues}
    return tuple(q for q in served.queues if q not in consumed and q != served.own_queue)


def _is_of(label: str, graph: str) -> bool:
    """Whether what a worker serves is a version of ``graph``."""
    return label.rpartition(GraphName.separator)[0] == graph
