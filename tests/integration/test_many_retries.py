"""Thousands of tasks that fail once are claimed twice each, and looked for a few times in all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.apps.programs import BACK_OFF
from tests.support.site import Site, on
from workers.worker.backoffs import PART, SLOTS

pytestmark = [pytest.mark.celery, pytest.mark.slow]
WIDTH = 600
# Nobody looks after what is overdue but who waits for the end of a back-off.
ALONE = {"lease": 600.0, "heartbeat": 200.0, "sweep": 3_600.0}
PER_LOOK = 100


def test_a_fan_out_of_which_every_task_fails_once(
    own_site: Callable[..., Site], new_redis: Callable[..., object], thread_id: str
) -> None:
    store = new_redis()
    site = own_site(store=store, broker=new_redis(), **ALONE)
    site.start(2, concurrency=1)
    graph = site.graphs["flaky"]
    graph.invoke({"width": 20, "fails": True}, on("warm"))
    with site.store.client() as client:
        client.config_resetstat()
        began, _ = client.time()
        done = graph.invoke({"width": WIDTH, "fails": True}, on(thread_id))
        took = client.time()[0] + 1 - began
        scripts = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert done["done"] == WIDTH
    # A claim, a failure, a claim, a result; and looks at back-offs that end together: those that
    # find as many as they may go on, and each process begins so many a second at most. A look that
    # finds what another process had tried asks for the graph's name.
    slot = next(slot for slot in SLOTS if slot <= BACK_OFF / PART)
    looks = WIDTH / PER_LOOK + 2 * (took / slot + 1)
    assert scripts <= 4 * WIDTH + 2 * looks + 30
