"""What the commands answer, read from Redis's raw replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from checkpoint_redis.layout import DueKind
from checkpoint_redis.readings import Context, Loaded

Taken = Literal["done", "dup", "stale", "gone"]
"""What became of a result."""
Kept = Literal["ok", "gone", "conflict"]
"""What became of what an attempt stored of a graph that is called in it."""
FailedAs = Literal["retry", "failed", "stale", "gone"]
"""What became of a failure."""
ParkedAs = Literal["parked", "gone", "conflict", "unstaged"]
"""What became of a task that its attempt parks."""
AnswerStatus = Literal[
    "go", "joined", "dup", "no_interrupt", "nothing", "busy", "missing", "conflict",
    "moving", "unstaged",
]  # fmt: skip
"""How an answer went."""
MovedAs = Literal["moved"]
"""The answer to ``move`` where something was to be queued."""
Results = Literal["results"]
"""The answer to ``finish`` when it recorded without a commit."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A task to publish, with its routing; tid '@' is an advance.

    ``name``: what it is called by those who watch messages, '' = not known here.
    """

    ns: str
    ep: str
    tid: str
    queue: str
    priority: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """How parking went: ``ep`` is the frame's epoch, ``hints`` are of tasks that run again.

    ``gone``: the attempt was given up. ``conflict``: the frame is not as it was seen.
    ``unstaged``: what was staged has lapsed.
    """

    status: ParkedAs
    ep: str = ""
    hints: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """How a start went.

    ``dup``: this run id was started before, its status is ``outcome``; ``ep`` and ``event_id``
    allow to go on as if the first reply had arrived. ``now`` is the time of Redis in ms.
    """

    status: Literal["go", "stop", "end", "fail", "busy", "conflict", "dup", "unstaged"]
    ep: str = ""
    event_id: str = "0-0"
    run: str = ""
    head: str = ""
    outcome: str = ""
    now: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """How an answer went.

    ``joined``: the answer went into ``run``, which was under way. ``more``: there are too many
    hints for one reply, all of them are in the outbox. ``nothing``: the thread's
    status is ``outcome`` and waits for nothing. ``pending``: the questions that do wait.
    ``unknown`` is the first id that is none of them. ``conflict``: it has another epoch than the
    caller read. ``moves``: it is accepted, and not all of it is queued yet; ``moving``: that is so
    of a call before. ``unstaged``: what was staged lapsed, or some question was answered since.
    """

    status: AnswerStatus
    ep: str = ""
    event_id: str = "0-0"
    run: str = ""
    hints: tuple[OutboxEntry, ...] = ()
    advance: bool = False
    more: bool = False
    moves: bool = False
    unknown: str = ""
    pending: tuple[str, ...] = ()
    outcome: str = ""
    now: int = 0


@dataclass(frozen=True, slots=True)
class Staged:
    """What became of a slice of answers: ``moment`` tells those apart that were open together."""

    status: Literal["staged", "refused"]
    moment: str = ""
    refusal: Answered | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A slice of what a wide call goes on with is queued; ``moves``: that was not all."""

    hints: tuple[OutboxEntry, ...] = ()
    moves: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """A task of a claim; ``att`` counts this claim too, ``failures`` the attempts that failed.

    ``risen``: the hash of a frame that has gone up for it in this run, whose state it is to take as
    it stands. ``inner``: how a frame inside it stands, by its hash, where that came along.
    """

    tid: str
    status: Literal["ok", "busy", "gone"]
    att: int = 0
    failures: int = 0
    rnd: str = ""
    blob: bytes = b""
    packet: bytes | None = None
    answers: tuple[bytes, ...] = ()
    risen: str = ""
    inner: tuple[str, Loaded | None] | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """``context`` is there when the status is ok; ``graph`` and ``fp`` when it is unserved.

    With a ``format`` it is so because the thread is stored in it, which ``release`` wrote.
    """

    status: Literal["ok", "busy", "gone", "missing", "unserved"]
    tasks: tuple[ClaimedTask, ...] = ()
    context: Context | None = None
    graph: str = ""
    fp: str = ""
    format: int = 0
    release: str = ""


@dataclass(frozen=True, slots=True)
class Advance:
    """The right to reduce: ``context`` is there when the status is advance.

    ``writes`` is None when they are over 1 MB: read them with ``writes``, they do not change any
    more. ``format`` and ``release``: as in Claimed. ``up``: as in Committed.
    """

    status: Literal["advance", "busy", "gone", "missing", "unserved", "failed"]
    context: Context | None = None
    writes: Mapping[str, bytes] | None = None
    graph: str = ""
    fp: str = ""
    format: int = 0
    release: str = ""
    up: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """Per task done, dup, stale or gone; ``advance`` when this caller is to reduce.

    ``up``: as in Committed.
    """

    closing: Literal["open", "paused", "advance", "gone"]
    statuses: tuple[Taken, ...] = ()
    advance: Advance | None = None
    up: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """``again``: this very commit was made before, and its reply was lost.

    ``up``: the hint of the task around, where the frame has gone up.
    """

    status: Literal["go", "stop", "end", "fail", "again", "stale", "gone", "unstaged"]
    ep: str = ""
    up: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Failing:
    """What became of a failure; ``up``: as in Committed."""

    status: FailedAs
    up: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """``failed``: a task vanished too often and ended the run; ``up``: as in Committed."""

    status: Literal["released", "failed", "gone"]
    hints: tuple[OutboxEntry, ...] = ()
    up: tuple[OutboxEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep found due in one frame; unreadable: what is stored of it is damaged."""

    x: str
    ns: str
    ep: str
    kind: DueKind
    tid: str
    hints: tuple[OutboxEntry, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of a shard found; ``more``: it looked at as many entries as it may.

    ``outboxes``: whether anything of the shard waits to be claimed.
    """

    found: tuple[Due, ...]
    more: bool
    outboxes: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """The outcome of cancel, delete, update, and of what savers do.

    With the run or head that stood against it. ``unstored``: what a checkpoint refers to is gone.
    ``number``: of the first record that was noted, -1 where that was done by an earlier call.
    """

    status: Literal["ok", "more", "cancelled", "idle", "busy", "conflict", "missing", "unstored"]
    run: str = ""
    head: str = ""
    number: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Adopted:
    """How a thread was taken over to another version of its graph.

    With the run or head that stood against it. ``busy`` and ``advance``: its outbox, and the
    advance of a closed superstep, are to be published.
    """

    status: Literal["ok", "busy", "missing", "conflict"]
    run: str = ""
    head: str = ""
    busy: bool = False
    advance: bool = False
