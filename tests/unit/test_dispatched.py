from __future__ import annotations

from typing import cast

from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from distgraph.errors import StoreUnavailable
from tests.support.waiting import wait_until
from workers.worker.dispatched import Dispatched

ONE, OTHER = Thread("t", "one"), Thread("t", "other")


class Told:
    """A ledger that remembers what it is told; its first calls may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[tuple[Thread, str, str]] = []
        self.failures = failures

    def published(self, thread: Thread, ns: str, ep: str) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("away")
        self.calls.append((thread, ns, ep))


def dispatched(told: Told) -> Dispatched:
    return Dispatched(lambda: cast("Ledger", told))


def test_what_was_noted_is_told_without_being_asked() -> None:
    told = Told()

    dispatched(told).note(ONE, "", "1")

    wait_until(lambda: told.calls == [(ONE, "", "1")], "the note")


def test_only_the_last_superstep_of_a_frame_is_told() -> None:
    told = Told()
    notes = dispatched(told)
    for thread, ep in ((ONE, "1"), (OTHER, "7"), (ONE, "2")):
        notes.note(thread, "", ep)

    wait_until(lambda: len(told.calls) == 2, "both frames")

    assert set(told.calls) == {(ONE, "", "2"), (OTHER, "", "7")}


def test_it_goes_on_after_the_store_was_away() -> None:
    told = Told(failures=1)
    notes = dispatched(told)
    notes.note(ONE, "", "1")
    wait_until(lambda: told.failures == 0, "the failure")

    notes.note(ONE, "", "2")

    wait_until(lambda: told.calls == [(ONE, "", "2")], "the second note")
