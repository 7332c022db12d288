"""Drives a frame inside a task through the ledger, with a default for every argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checkpoint_redis import loading
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import StepOutcome
from checkpoint_redis.readings import Loaded
from checkpoint_redis.records import (
    AgainEntry,
    InnerEntry,
    ParkEntry,
    QuestionEntry,
    ResultEntry,
    SuperstepEntry,
)
from checkpoint_redis.replies import (
    Advance,
    Claimed,
    Committed,
    Failing,
    Kept,
    OutboxEntry,
    Parked,
    Recorded,
    Released,
)
from distgraph.effects import carry
from tests.support.thread_driver import LEASE, SERVED, Driver, nonce, superstep

INSIDE = (*SERVED, "inner@2")
INNER = "node:a"
"""The name of the frame in the task a of the root."""


@dataclass
class Frame:
    """The frame of a graph inside the task ``tid`` of the frame ``ns``; ``ep``: its own epoch."""

    d: Driver
    name: str
    ns: str = ""
    tid: str = "a"
    ep: str = ""

    @property
    def hash(self) -> str:
        return FrameName(self.name).hash

    @property
    def named(self) -> FrameName:
        return FrameName(self.name, "inner", "2")

    # --- the task around it ----------------------------------------------------------------------

    def park(  # noqa: PLR0913 - a default for each
        self, around: str, *tids: str, tok: str = "t", again: tuple[AgainEntry, ...] | None = None,
        seen: str | None = None, step: SuperstepEntry | None = None, call: bytes = b"",
    ) -> Parked:  # fmt: skip
        """Park the task for a superstep of these tasks, or for what goes on with ``again``."""
        if again is None and step is None:
            step = superstep(f"cp-{nonce()}", *tids)
        inner = InnerEntry(self.named, self.ep if seen is None else seen, "")
        entry = ParkEntry(inner, step, again or (), stop=25, released="cp-r", call=call)
        parked = self.d.ledger.park(
            self.d.thread, self.ns, around, self.tid, tok=tok, entry=entry, lease_ms=LEASE
        )
        if parked.status == "parked":
            self.ep = parked.ep
        return parked

    def rejoin_some(
        self, around: str, *again: AgainEntry, tok: str = "t", seen: str | None = None
    ) -> Kept:
        """Queue some of the tasks with which the frame goes on once its task is parked."""
        inner = InnerEntry(self.named, self.ep if seen is None else seen, "")
        return self.d.ledger.rejoin_some(
            self.d.thread, self.ns, around, self.tid, ParkEntry(inner, again=again), tok=tok
        )

    # --- its own tasks ---------------------------------------------------------------------------

    def claim(self, *tids: str, tok: str = "t", ep: str = "", owner: str = "worker") -> Claimed:
        return self.d.ledger.claim(
            self.d.thread, self.hash, ep or self.ep, tids, tok=tok, owner=owner, lease_ms=LEASE,
            served=INSIDE,
        )  # fmt: skip

    def complete(  # noqa: PLR0913 - a default for each
        self, tid: str, *, tok: str = "t", tok2: str = "adv", rnd: str = "", ep: str = "",
        escapes: bool = False, asks: tuple[str, ...] = (), deadline: int = 0,
    ) -> Recorded:  # fmt: skip
        """Record what a task leaves: its writes, or the questions ``asks``."""
        asked = tuple(QuestionEntry(iid, deadline, -1, iid if deadline else "") for iid in asks)
        result = ResultEntry(tid, rnd, b"left", questions=asked, escapes=escapes)
        return self.d.ledger.complete(
            self.d.thread, self.hash, ep or self.ep, (result,), tok=tok, tok2=tok2, lease_ms=LEASE
        )

    def fail(self, tid: str, *, tok: str = "t", retry_in_ms: int = -1, ep: str = "") -> Failing:
        return self.d.ledger.fail(
            self.d.thread, self.hash, ep or self.ep, tid, tok=tok, error=b"error",
            retry_in_ms=retry_in_ms,
        )  # fmt: skip

    def claim_advance(self, tok: str = "adv-2", max_advances: int = 3) -> Advance:
        return self.d.ledger.claim_advance(
            self.d.thread, self.hash, self.ep, tok=tok, lease_ms=LEASE, served=INSIDE,
            max_advances=max_advances, lost=b"lost",
        )  # fmt: skip

    def commit(
        self, *tids: str, outcome: StepOutcome = "go", advtok: str = "adv", ep: str = "",
        error: bytes = b"", step: SuperstepEntry | None = None,
    ) -> Committed:  # fmt: skip
        following = step or superstep(f"cp-{nonce()}", *tids, outcome=outcome, error=error)
        committed = self.d.ledger.commit(
            self.d.thread, self.hash, ep or self.ep, following, advtok=advtok
        )
        if committed.ep:
            self.ep = committed.ep
        return committed

    def finish(
        self, tid: str, step: SuperstepEntry, *, tok: str = "t", rnd: str = ""
    ) -> Committed | Recorded:
        return self.d.ledger.finish(
            self.d.thread, self.hash, self.ep, ResultEntry(tid, rnd, b"left"), step, tok=tok,
            tok2="adv", lease_ms=LEASE,
        )  # fmt: skip

    def release(self, tid: str, *, max_lost: int = 3, given_back: bool = False) -> Released:
        return self.d.ledger.release(
            self.d.thread, self.hash, self.ep, (tid,), owner="worker", max_lost=max_lost,
            lost=b"lost", given_back=given_back,
        )  # fmt: skip

    # --- what is stored --------------------------------------------------------------------------

    def load(self) -> Loaded:
        loaded = carry(loading.load(self.d.thread, self.hash), self.d.ledger.call)
        assert loaded is not None
        return loaded

    def states(self) -> dict[str, str]:
        return {task.tid: task.st for task in self.load().tasks}

    def keys(self) -> set[str]:
        """Return the kinds of keys that it has."""
        return {key.removesuffix(self.hash) for key in self.d.stored() if key.endswith(self.hash)}

    def field(self, name: str) -> Any:
        return self.d.client.hget(self.d.thread.frame(self.hash), name)


def around(up: tuple[OutboxEntry, ...]) -> list[tuple[str, str]]:
    """Return frame and task of hints."""
    return [(hint.ns, hint.tid) for hint in up]
