"""Drives the functions that a task calls through the ledger, with a default for every argument."""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis.frames import FrameName
from checkpoint_redis.records import (
    AgainEntry,
    CallsEntry,
    InnerEntry,
    KeepEntry,
    ParkEntry,
    TaskEntry,
)
from checkpoint_redis.replies import Kept, Parked
from tests.support.frame_driver import Frame
from tests.support.thread_driver import LEASE, nonce


@dataclass
class Calls(Frame):
    """The calls of the task `tid` of the frame `ns`."""

    def wait(  # noqa: PLR0913 - a default for each
        self, around: str, *tids: str, tok: str = "t", again: tuple[AgainEntry, ...] = (),
        seen: str | None = None, staged: bool = False, ep: str = "",
    ) -> Parked:  # fmt: skip
        """Park the task until these calls have ended, and those that run again."""
        tasks = tuple(
            TaskEntry(tid, tid.encode(), queue="own" if tid == "own" else "") for tid in tids
        )
        calls = CallsEntry(ep or nonce(), () if staged else tasks, staged)
        inner = InnerEntry(self._frame, self.ep if seen is None else seen, "")
        entry = ParkEntry(inner, None, again, stop=25, call=b"call", calls=calls)
        parked = self.d.ledger.park(
            self.d.thread, self.ns, around, self.tid, tok=tok, entry=entry, lease_ms=LEASE
        )
        if parked.status == "parked":
            self.ep = parked.ep
        return parked

    def keep(
        self, around: str, *tids: str, tok: str = "t", seen: str | None = None, new_ep: str = ""
    ) -> Kept:
        """Keep what calls have returned that ran in the process of the attempt."""
        seen, new_ep = self.ep if seen is None else seen, new_ep or self.ep or nonce()
        results = tuple((tid, b"here") for tid in tids)
        kept = self.d.ledger.keep(
            self.d.thread, self.ns, around, self.tid, KeepEntry(self._frame, seen, results),
            tok=tok, new_ep=new_ep,
        )  # fmt: skip
        if kept == "ok":
            self.ep = new_ep
        return kept

    @property
    def _frame(self) -> FrameName:
        return FrameName(self.name, "inner", "2")
