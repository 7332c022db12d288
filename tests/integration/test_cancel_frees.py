"""A cancelled run gives back what it holds of its workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import Shell
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.celery, pytest.mark.slow]
# No lease runs out: that a node is ended is due to the cancel.
LEASED = {"lease": 3_600.0, "heartbeat": 0.3}


def begun(site: Site, graph: str, thread_id: str, log: Path) -> None:
    """Run a node that lasts until the file `gate` is there, on a worker with one place."""
    env = {"SERVE": f"{graph},steps", "DISTGRAPH_ASYNC_CONCURRENCY": "1"}
    site.start(1, concurrency=1, env=env)
    given = {"log": str(log), "gate": str(log.with_name("gate"))}
    site.graphs[graph].submit(given, on(thread_id))
    wait_until(lambda: lines(log), "the node to begin")


def test_a_cancelled_coroutine_gives_its_place_to_the_next(
    own_site: Callable[..., Site], log: Path
) -> None:
    site = own_site(**LEASED)
    begun(site, "last", "first", log)
    next_log = log.with_name("next")
    given = {"log": str(next_log), "gate": str(log)}  # it ends at once
    run = site.graphs["last"].submit(given, on("next"))
    assert site.backend.thread("first").cancel()
    assert run.result(timeout=PATIENCE)["done"] == "coroutine"
    assert [line.split()[0] for line in lines(log)] == ["begins", "ends"]
    assert site.backend.thread("first").status == "idle"


@pytest.mark.parametrize("cancelled_before", [False, True])
def test_a_blocking_node_of_a_killed_run_is_ended(
    own_site: Callable[..., Site], log: Path, cancelled_before: bool
) -> None:
    site = own_site(**LEASED)
    begun(site, "block", "first", log)
    (run,) = (site.backend.run("first", past.id) for past in site.backend.thread("first").runs())
    if cancelled_before:
        assert run.cancel()
    assert run.cancel(kill=True)
    assert site.graphs["steps"].submit({}, on("next")).result(timeout=PATIENCE)
    assert [line.split()[0] for line in lines(log)] == ["begins"]
    assert (run.status, site.backend.thread("first").status) == ("cancelled", "idle")


def test_the_command_line_kills_too(own_site: Callable[..., Site], log: Path) -> None:
    site = own_site(**LEASED)
    begun(site, "block", "first", log)
    said = Shell(site.store.url, site.namespace)("cancel", "first", "--kill", "--json")
    assert said.data == {"thread": "first", "cancelled": True}
    assert site.graphs["steps"].submit({}, on("next")).result(timeout=PATIENCE)
    assert [line.split()[0] for line in lines(log)] == ["begins"]
