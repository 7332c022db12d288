from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import cast

from checkpoint_redis.commands import Script, published
from checkpoint_redis.keys import Thread
from checkpoint_redis.ledger import Ledger
from distgraph.errors import StoreUnavailable
from tests.support.waiting import wait_until
from workers.shared.dispatched import Dispatched

ONE, OTHER = Thread("t", "one"), Thread("t", "other")


class Told:
    """A ledger that remembers what it is told; its first calls may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[Script[bool]] = []
        self.failures = failures

    def together(self, given: Sequence[Script[bool]]) -> Iterator[bool]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("away")
        self.calls += given
        return iter([True] * len(given))


def dispatched(told: Told) -> Dispatched:
    return Dispatched(lambda: cast("Ledger", told))


def test_what_was_noted_is_told_without_being_asked() -> None:
    told = Told()

    dispatched(told).note(ONE, "", "1")

    wait_until(lambda: told.calls == [published(ONE, "", "1")], "the note")


def test_only_the_last_superstep_of_a_frame_is_told() -> None:
    told = Told()
    notes = dispatched(told)
    for thread, ep in ((ONE, "1"), (OTHER, "7"), (ONE, "2")):
        notes.note(thread, "", ep)

    wait_until(lambda: len(told.calls) == 2, "both frames")

    assert told.calls == [published(ONE, "", "2"), published(OTHER, "", "7")]


def test_it_goes_on_after_the_store_was_away() -> None:
    told = Told(failures=1)
    notes = dispatched(told)
    notes.note(ONE, "", "1")
    wait_until(lambda: told.failures == 0, "the failure")

    notes.note(ONE, "", "2")

    wait_until(lambda: told.calls == [published(ONE, "", "2")], "the second note")


def test_nothing_is_told_of_a_thread_whose_run_is_over() -> None:
    told = Told()
    notes = dispatched(told)
    notes.note(ONE, "", "1")
    notes.note(OTHER, "", "7")

    notes.forget(ONE)

    wait_until(lambda: bool(told.calls), "the other note")
    assert told.calls == [published(OTHER, "", "7")]


def test_what_was_noted_last_is_told_before_the_process_ends() -> None:
    """It would be sent again by the sweeper, from a script that submits a run and ends."""
    code = (
        "from checkpoint_redis.keys import Thread\n"
        "from workers.shared.dispatched import Dispatched\n"
        "class Told:\n"
        "    def together(self, given):\n"
        "        print('told', len(given))\n"
        "        return iter([True])\n"
        "Dispatched(Told).note(Thread('t', 'one'), '', '1')\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout == "told 1\n"
