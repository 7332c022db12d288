"""The graph that is simulated: what its tasks do, and which superstep follows a checkpoint.

The id of a checkpoint is <start>.<number>.<nonce>: `number` supersteps were committed before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from checkpoint_redis.bundles import Bundle, packet_name
from checkpoint_redis.layout import StepOutcome
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from tests.support.sim.draw import Draw

PLAN = (
    ("ok", "asks", "flaky"),
    ("calls",),
    ("asks twice", "asks both", "stops"),
    ("calls and asks", "ok"),
    ("flaky",),
    ("ok",),
)
QUESTIONS = {"asks": 1, "asks twice": 2, "asks both": 2, "calls and asks": 1}
CALLED = 3
"""So many supersteps has a graph that is called; one that asks does so before the last."""
State = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What a checkpoint holds: how it came about, from which one, and the state.

    kind: input | commit | update. `writes` are those of the tasks, `applied` those of callers.
    `bundle` has what is sent to the tasks of its superstep.
    """

    kind: str
    parent: str
    state: State
    before: str = ""
    writes: Mapping[str, str] | None = None
    applied: tuple[str, ...] = ()
    bundle: str = ""

    @classmethod
    def read(cls, blob: bytes) -> Known:
        fields = json.loads(blob)
        return cls(**{**fields, "applied": tuple(fields["applied"])})

    def entry(self, cp: str, packets: tuple[Bundle, ...] = ()) -> CheckpointEntry:
        blob = json.dumps(asdict(self)).encode()
        return CheckpointEntry(cp, blob, number_of(cp), ("c@1",), {"c@1": blob}, packets=packets)


@dataclass(frozen=True, slots=True)
class Planned:
    """A superstep to be opened; `staged` are the tasks that are to be stored before it."""

    entry: SuperstepEntry
    staged: tuple[TaskEntry, ...]

    def chunks(self) -> Iterator[tuple[TaskEntry, ...]]:
        for first in range(0, len(self.staged), 2):
            yield self.staged[first : first + 2]


def digest(state: State) -> str:
    return hashlib.blake2b(json.dumps(sorted(state.items())).encode(), digest_size=6).hexdigest()


def number_of(cp: str) -> int:
    return int(cp.split(".")[1])


def kind_of(tid: str) -> str:
    number, i = tid.split(".")
    return PLAN[int(number)][int(i)]


def tids(number: int) -> tuple[str, ...]:
    kinds = PLAN[number] if number < len(PLAN) else ()
    return tuple(f"{number}.{i}" for i in range(len(kinds)))


def calls(tid: str) -> bool:
    return kind_of(tid).startswith("calls")


def stops(tid: str, rnd: str) -> bool:
    """Whether a graph in a task is at a breakpoint, which is released with the first new round."""
    return kind_of(tid) == "stops" and not rnd


def questions_of(tid: str) -> int:
    """Return how often a task asks."""
    return QUESTIONS.get(kind_of(tid), 0)


def questions(tid: str, given: int, tok: str) -> tuple[str, ...]:
    """Return the ids of what a task asks that was given so many answers."""
    left = range(given, questions_of(tid))
    asked = left if kind_of(tid) == "asks both" else left[:1]
    return tuple(f"{tid}/{n}/{tok}" for n in asked)


def opening(
    draw: Draw,
    cp: str,
    known: Known,
    checkpoints: tuple[CheckpointEntry, ...] = (),
    written: tuple[bytes, ...] = (),
) -> Planned:
    """Plan the superstep that runs from `cp`; now and then a static breakpoint comes first."""
    seen = digest(known.state).encode()
    tasks = tuple(
        TaskEntry(tid, seen, reads=("c",), packet=packet_name(known.bundle, i))
        for i, tid in enumerate(tids(number_of(cp)))
    )
    outcome: StepOutcome = "go" if tasks else "end"
    if checkpoints and tasks and draw.fault(0.05):
        tasks, outcome = (), "stop"
    entry = SuperstepEntry(draw.nonce(), checkpoints, tasks, outcome, caller_writes=written)
    if not tasks or not draw.chance(0.3):
        return Planned(entry, ())
    first = draw.below(len(tasks)) + 1  # the others come on top
    return Planned(replace(entry, tasks=tasks[first:], staged=True), tasks[:first])


def following(
    draw: Draw, cp: str, before: Known, writes: Mapping[str, bytes], written: tuple[bytes, ...]
) -> Planned:
    """Apply what the tasks and the callers wrote at `cp`, and plan what comes next."""
    start, number, _ = cp.split(".")
    applied = tuple(record.decode() for record in written)
    texts = {tid: writes[tid].decode() for tid in sorted(writes)}
    after = Known(
        "commit",
        cp,
        {**before.state, **texts, **dict.fromkeys(applied, "caller")},
        digest(before.state),
        texts,
        applied,
        json.loads(writes[f"{number}.0"])[2],
    )
    new = f"{start}.{int(number) + 1}.{draw.nonce()}"
    return opening(draw, new, after, (after.entry(new),))
