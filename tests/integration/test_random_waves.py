"""Random workflows whose calls fail and ask end on workers as in this process."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distgraph.checkpoint.memory import InMemorySaver
from distgraph.types import Command
from tests.support.apps.served import ALL
from tests.support.site import Site, on
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.celery
SAMPLE, MOST = int(os.environ.get("RANDOM_WAVES", "16")), 12
NAMES = ("gather", "agather", "chained", "retried", "deeper", "waits")


def drawn(draw: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a workflow and its input."""
    size = draw.randint(1, 5)
    numbers = range(size) if (name := draw.choice(NAMES)) != "deeper" else (0, 1, 10, 11, 20)
    fails = {n: draw.choice((1, 2, -1)) for n in numbers if draw.random() < 0.15}
    asks = [n for n in numbers if n not in fails and name != "chained" and draw.random() < 0.25]
    caught = draw.random() < 0.5
    if caught and asks:
        # On workers they ask together, so that those which failed are made again less often.
        fails = dict.fromkeys(fails, -1)
    if name == "agather" and not caught:
        # Which one fails first is chance.
        fails = dict(list(fails.items())[:1])
    given = {"width": size, "length": size, "fails": fails, "asks": asks, "caught": caught}
    return name, given


def ended(graph: Any, given: Any, config: Any, call: Callable[..., Any]) -> Any:
    """Return how a thread ends, each of whose questions is answered by what it asks.

    A run that fails is tried again twice.
    """
    failures = 0
    for _ in range(MOST):
        try:
            found = call(graph, given, config)
        except ValueError as error:
            found, failures = str(error), failures + 1
            if failures > 2:
                return found
            given = None
            continue
        asked = found["__interrupt__"] if isinstance(found, dict) else ()
        if not asked:
            return sorted(map(str, found)) if isinstance(found, list) else found
        given = Command(resume={each.id: int(each.value.split()[1]) for each in asked})
    return "does not end"


def here(graph: Any, given: Any, config: Any) -> Any:
    if graph.graph.needs_loop:
        return asyncio.run(graph.ainvoke(given, config))
    return graph.invoke(given, config)


def there(graph: Any, given: Any, config: Any) -> Any:
    return graph.submit(given, config).result(timeout=PATIENCE)


@pytest.mark.parametrize("seed", range(SAMPLE))
def test_the_same_end(shared: Site, thread_id: str, tmp_path: Path, seed: int) -> None:
    logs = tmp_path / "here", tmp_path / "there"
    for log in logs:
        log.touch()
    name, given = drawn(random.Random(seed))
    local = ALL[name]().compile(name=name, checkpointer=InMemorySaver())
    before = ended(local, {**given, "log": str(logs[0])}, on(thread_id), here)
    after = ended(shared.graphs[name], {**given, "log": str(logs[1])}, on(thread_id), there)
    assert after == before
