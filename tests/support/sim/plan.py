"""The graph that is simulated: what its tasks do, and which superstep follows a checkpoint.

The id of a checkpoint is <stamp>.<number>.<nonce>: `number` supersteps were committed before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from checkpoint_redis.bundles import Bundle, packet_name
from checkpoint_redis.layout import StepOutcome
from checkpoint_redis.readings import Context
from checkpoint_redis.records import CheckpointEntry, QuestionEntry, SuperstepEntry, TaskEntry
from checkpoint_redis.references import Blobs, Ref
from tests.support.sim.draw import Draw
from tests.support.sim.lists import LIST, Grown

PLAN = (
    ("ok", "asks", "flaky"),
    ("calls",),
    ("asks twice", "asks both", "stops"),
    ("calls and asks", "lasts and asks", "lasts"),
    ("flaky",),
    ("lasts",),
)
QUESTIONS = {"asks": 1, "asks twice": 2, "asks both": 2, "calls and asks": 1, "lasts and asks": 1}
CALLED = 3
"""So many supersteps has a graph that is called; one that asks does so before the last."""
FAR = 10**12
State = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What a checkpoint holds: how it came about, from which one, and the state.

    kind: input | commit | update | put. `writes` are those of the tasks, `applied` those of
    callers. `bundle` has what is sent to the tasks of its superstep. `run` made it, '' for a saver.
    `whole` is the checkpoint that stored the value of its other channel, '' for itself.
    """

    kind: str
    parent: str
    state: State
    grown: Grown
    run: str = ""
    before: str = ""
    writes: Mapping[str, str] | None = None
    applied: tuple[str, ...] = ()
    bundle: str = ""
    whole: str = ""
    id: str = ""

    @classmethod
    def read(cls, blob: bytes) -> Known:
        fields = json.loads(blob)
        grown = Grown.read(fields["grown"])
        return cls(**{**fields, "applied": tuple(fields["applied"]), "grown": grown})

    def entry(self, cp: str, packets: tuple[Bundle, ...] = ()) -> CheckpointEntry:
        blob = json.dumps(asdict(replace(self, id=cp))).encode()
        own = {} if self.whole else {f"c@{cp}": b"c"}
        new = {**own, **self.grown.segment()}
        return CheckpointEntry(cp, blob, number_of(cp), self.refs(cp), new, packets=packets)

    def refs(self, cp: str) -> tuple[Ref, ...]:
        return f"c@{self.whole or cp}", self.grown.ref


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


def reads_of(tid: str) -> tuple[str, ...]:
    """Return the channels that a task reads."""
    return ("c", LIST) if kind_of(tid) in {"ok", "calls", "lasts"} else ("c",)


def calls(tid: str) -> bool:
    return kind_of(tid).startswith(("calls", "lasts"))


def lasts(tid: str) -> bool:
    """Whether a task calls the graph that goes on from one task to the next."""
    return kind_of(tid).startswith("lasts")


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


def question(iid: str, ends: str) -> QuestionEntry:
    """Return a question that ends so; its place is its id without the attempt's token."""
    if ends == "never":
        return QuestionEntry(iid)
    within = FAR if ends == "later" else 0
    return QuestionEntry(iid, 0, within, iid.rpartition("/")[0], f"answer to {iid} late".encode())


def check_given(draw: Draw, tid: str, given: list[str]) -> None:
    """Each question got its own answer; once its deadline is over no other than the sweep's."""
    over = draw.ends(tid) == "at once"
    for n, text in enumerate(given):
        assert text.startswith(f"answer to {tid}/{n}/"), f"{tid}: question {n} got {text}"
        assert text.endswith(" late") == over, f"{tid}: question {n} got {text}"


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
        TaskEntry(tid, seen, reads=reads_of(tid), packet=packet_name(known.bundle, i))
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


def following(draw: Draw, context: Context, writes: Mapping[str, bytes]) -> Planned:
    """Apply what the tasks and the callers wrote at a checkpoint, and plan what comes next."""
    assert context.checkpoint is not None
    cp, before = context.head.cp, Known.read(context.checkpoint)
    number = number_of(cp)
    applied = tuple(record.decode() for record in context.caller_writes.blobs)
    texts = {tid: writes[tid].decode() for tid in sorted(writes)}
    new = f"{draw.stamp()}.{number + 1}.{draw.nonce()}"
    after = Known(
        "commit",
        cp,
        {**before.state, **texts, **dict.fromkeys(applied, "caller")},
        before.grown.then(new, context.channels, draw),
        context.head.run,
        digest(before.state),
        texts,
        applied,
        json.loads(writes[f"{number}.0"])[2],
    )
    return opening(draw, new, after, (after.entry(new),))


def updated(draw: Draw, cp: str, before: Known, blobs: Blobs) -> tuple[str, Known]:
    """Return what a caller makes of a checkpoint: another one, with the same superstep to come."""
    nonce = draw.nonce()
    new = f"{draw.stamp()}.{number_of(cp)}.{nonce}"
    state = {**before.state, f"update {nonce}": "1"}
    grown = before.grown.then(new, blobs, draw)
    return new, Known("update", cp, state, grown, bundle=before.bundle)
