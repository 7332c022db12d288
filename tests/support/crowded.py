"""Many graphs that are nodes of one superstep, and wait at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from checkpoint_redis.layout import DueKind
from tests.support.site import Site, lines, on
from tests.support.waiting import PATIENCE, wait_until


def crowd_waits(site: Site, thread_id: str, count: int, log: Path, gate: Path) -> None:
    """Check that so many tasks wait for their graphs, and hold nothing, while both slots are taken.

    The site has two of these.
    """
    graph = site.graphs["crowd"]
    given = {"log": str(log), "gate": str(gate), "path": [str(n) for n in range(count)]}
    run = graph.submit(given, on(thread_id))
    wait_until(lambda: lines(log).count("second") == 2, "both slots to be taken", 2 * PATIENCE)
    with site.store.client() as client:
        assert len(site.claimed(client)) == 2
        assert site.parked(client, thread_id) == count
        leases = [due for due in site.due(client) if due.endswith(f"|{DueKind.lease}")]
        assert len(leases) == 2
        assert not [due for due in leases if due.startswith("|")]
    gate.touch()
    done = run.result(timeout=2 * PATIENCE)
    assert Counter(done["path"][count:]) == Counter(
        dict.fromkeys(("first", "second", "third"), count)
    )
    with site.store.client() as client:
        wait_until(lambda: not site.claimed(client), "the leases to be gone")
        wait_until(lambda: not site.due(client), "nothing to be due")
