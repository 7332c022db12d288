"""What the scripts have taken, as those know who gave it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from checkpoint_redis.commands import Script
from checkpoint_redis.layout import IndexName, Limit
from checkpoint_redis.records import AnswerEntry
from checkpoint_redis.replies import ClaimedTask, Committed, Recorded

MARKS = ("one", "two")


@dataclass(slots=True)
class Accepted:
    """What the scripts have taken from clients, since the thread exists.

    `writes`: by checkpoint what callers wrote there; `submits` are starts and answers, by run, and
    `joined` the answers that joined one.
    `failures`: by epoch and task how often it failed and was to be repeated; in the epochs
    `answered`, answers have some tasks counted anew. Nothing of the epochs that are `void` counts.
    `given`: the questions that have an answer.
    `graph`, `marks`, `about`: by what it is found. Of what savers did: `logs`, by checkpoint what
    they noted there, `noted`, where they ever did, `removed`, the fields of checkpoints that are
    gone, `torn`, the removals of which some slices were carried out and others not, `given_up`,
    the heads from which a removal went back: what is beside one goes first, itself with a slice to
    come, and `returned`, the heads to which one did: a start there takes up what was followed.
    """

    writes: dict[str, list[bytes]] = field(default_factory=dict)
    submits: dict[str, Script[Any]] = field(default_factory=dict)
    joined: dict[str, Script[Any]] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)
    graph: str = ""
    marks: tuple[str, ...] = ()
    about: bytes = b""
    logs: dict[str, list[bytes]] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)

    def add(
        self, run: str, carried: str, command: Script[Any], cp: str, written: tuple[bytes, ...]
    ) -> None:
        """Note what was taken; `carried` is the run that it joined, or itself."""
        submits = self.submits if carried in ("", run) else self.joined
        submits[run] = command
        self.writes.setdefault(cp, []).extend(written)

    def answer(self, ep: str, pairs: tuple[AnswerEntry, ...]) -> None:
        """Note the questions that have an answer, in the epoch in which they got it."""
        self.answered.add(ep)
        self.given.update(pair.iid for pair in pairs)

    def stand(self, graph: str, marks: tuple[str, ...] | None, about: bytes) -> None:
        """Note by what the thread is found from now on; None: its marks are as they were."""
        self.graph = graph
        if marks is not None:
            self.marks, self.about = marks, about

    def indexes(self) -> set[str]:
        """Return the sets in which the thread stands, but that of its status."""
        marks = {f"{IndexName.mark}{mark}" for mark in self.marks}
        return {IndexName.all.value, f"{IndexName.graph}{self.graph}", *marks}

    def go_on(self, before: str, ep: str) -> None:
        """Count on what failed in the epoch `before`: the same superstep has another one."""
        self.void.add(before)
        for (epoch, tid), count in list(self.failures.items()):
            if epoch == before:
                self.failures[ep, tid] = count
        if before in self.answered:
            self.answered.add(ep)

    def known(self) -> dict[str, Script[Any]]:
        """Return the starts and answers that must be known again: of the last runs, and joined."""
        runs, joined = list(self.submits)[-Limit.lines :], list(self.joined)[-Limit.joined :]
        return {run: self.submits[run] for run in runs} | {run: self.joined[run] for run in joined}

    def check_failures(self, ep: str, task: ClaimedTask) -> None:
        """A claim gives the failures of its task, of which kills and hand-overs are none."""
        known = self.failures[ep, task.tid]
        right = task.failures <= known if ep in self.answered else task.failures == known
        assert right, f"{task.tid} failed {known} times, and its claim says {task.failures}"

    def check_taken(self, ep: str, reply: Recorded | Committed) -> None:
        """Nothing is taken from an attempt of an epoch that is over."""
        refused = "gone" in (reply.closing if isinstance(reply, Recorded) else reply.status)
        assert refused or ep not in self.void, f"in {ep}, which is over, was taken: {reply}"
