"""What is read of threads, runs and questions, from Redis's raw replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkpoint_redis.layout import QuestionRow, RunStatus, TaskState, ThreadStatus
from checkpoint_redis.references import Extent


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """What a job sees of a frame inside a task.

    ``path``: the names of nodes from the root graph on, whose name and fingerprint are
    ``root_graph`` and ``root_fp``. ``stop``: the last step that it may run; ``released``: the
    checkpoint whose static stop it passes; ``call``: what its task tells of the call.
    """

    name: str
    path: str
    stop: int
    released: str
    root_graph: str
    root_fp: str
    call: bytes


@dataclass(frozen=True, slots=True)
class FrameHead:
    """A frame as a job sees it: ``graph`` and ``fp`` are those of its own graph.

    ``active`` counts the tasks that are not done. ``frame`` is None for the root.
    """

    graph: str
    fp: str
    run: str
    cp: str
    step: int
    active: int
    thread_id: str
    queue: str
    frame: FrameInfo | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that is stored of a run; times in ms, ``ended`` 0 while it is under way.

    ``cp`` is the head when it ended, ``origin`` when it began; ``released`` the checkpoint whose
    static stop it passes, ``stop`` its last step; ``event_id`` stands before its first event.
    """

    kind: str
    status: RunStatus
    cp: str
    began: int
    ended: int
    by: str
    position: int
    origin: str
    released: str
    stop: int
    modes: str
    event_id: str
    metadata: bytes
    cfg: bytes
    error: bytes


@dataclass(frozen=True, slots=True)
class RunLine:
    """What is kept of a run beyond its record; times in ms, ``by`` cut to its first bytes."""

    run: str
    kind: str
    status: RunStatus
    cp: str
    began: int
    ended: int
    by: str


@dataclass(frozen=True, slots=True)
class CallerWrites:
    """What callers wrote at a checkpoint: one record per call.

    ``followed``: its superstep was committed, so that the gotos among them have been followed.
    """

    blobs: tuple[bytes, ...] = ()
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a job reads: a channel is None when its blob is to be fetched apart.

    ``lists``: what there is in segments, of which not all may have come. With the checkpoint come
    all channels, else those that the claimed tasks read.
    """

    head: FrameHead
    run: RunRecord
    caller_writes: CallerWrites
    checkpoint: bytes | None
    channels: Mapping[str, bytes | None]
    lists: tuple[Extent, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run stands.

    ``cp`` is the head checkpoint, or of a joined run the run that was joined. ``now`` is the time
    of Redis in ms at which that was so. ``record`` is the whole of it, as long as that is kept;
    ``line`` what is left when other runs came after it, and its error is not known any more.
    """

    status: RunStatus
    cp: str
    error: bytes
    now: int
    record: RunRecord | None = None
    line: RunLine | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A thread's header and its root or child frame; times in ms.

    ``run`` is the last one, which may be under way. ``format``: the highest number of a form that
    is stored, which ``release`` wrote. ``frame``: of one for which a task was parked.
    """

    thread_id: str
    graph: str
    fp: str
    queue: str
    st: ThreadStatus
    run: str
    created: int
    upd: int
    ep: str
    cp: str
    step: int
    format: int
    release: str
    metadata: Mapping[str, Any]
    frame: FrameInfo | None = None


@dataclass(frozen=True, slots=True)
class AnsweredQuestions:
    """What a task asked at once, ((iid, when), ...) and the blob, and who answered; times in ms.

    Or what it failed with before it ran again, with neither questions nor who answered.

    ``deadlines``: (iid, until when) of those that had one. ``run`` is '' where nobody answered,
    and it was asked again or given up.
    """

    questions: tuple[tuple[str, int], ...]
    blob: bytes
    run: str
    at: int
    by: str
    deadlines: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """What is known of a task of the open superstep at a glance."""

    tid: str
    st: TaskState
    att: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task of the open superstep; ``asked`` are its questions that wait no more.

    ``risen``: the hash of the frame that went up for it last.
    """

    tid: str
    st: TaskState
    rnd: str
    att: int
    lost: int
    owner: str
    queue: str
    priority: int
    limit_ms: int
    batch: str
    packet: str
    blob: bytes
    answers: tuple[bytes, ...]
    error: bytes | None
    asked: tuple[AnsweredQuestions, ...] = ()
    risen: str = ""


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """What an interrupted task asks: ((iid, deadline in ms or 0), ...) and the blob."""

    tid: str
    questions: tuple[tuple[str, int], ...]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Askers:
    """Which of the root's tasks ask some questions: (task, its question record) by their ids."""

    header: Header
    waiting: Mapping[str, tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class LeftTask:
    """What a task left of a superstep that is over: its result, error or question.

    ``asked`` are the questions that were answered, in their order.
    """

    tid: str
    result: bytes = b""
    asked: tuple[AnsweredQuestions, ...] = ()
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A frame at one moment; ``channels`` is empty for a checkpoint that is not the head.

    A channel is None when it is to be read apart; of a ``wide`` superstep there is nothing yet.
    ``run`` is the thread's last one. ``log``: what a saver noted of the checkpoint's tasks. The
    head has a log or an open superstep; another checkpoint may have ``left``, which is None when it
    is large: it is read apart. ``failure``: why nothing follows the superstep of a frame inside a
    task, which is an error's record.
    """

    header: Header
    run: RunRecord | None
    checkpoint: bytes | None
    channels: Mapping[str, bytes | None]
    tasks: tuple[OpenTask, ...]
    writes: Mapping[str, bytes]
    questions: tuple[OpenQuestions, ...]
    caller_writes: CallerWrites
    log: tuple[bytes, ...] = ()
    logged: int = 0
    left: tuple[LeftTask, ...] | None = ()
    wide: bool = False
    failure: bytes = b""

    @property
    def released(self) -> str:
        """The checkpoint whose static stop the last run, or the frame, passed, '' for none."""
        if self.header.frame:
            return self.header.frame.released
        return self.run.released if self.run else ""


@dataclass(frozen=True, slots=True)
class ListedQuestions:
    """What a task asks, and the blob of it."""

    rows: tuple[QuestionRow, ...]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A thread in a list, with what some of its tasks ask; times in ms.

    ``more``: there are other questions, or they cannot be read.
    """

    x: str
    thread_id: str
    graph: str
    fp: str
    run: str
    st: ThreadStatus
    created: int
    upd: int
    format: int
    metadata: Mapping[str, Any]
    asked: tuple[ListedQuestions, ...] = ()
    more: bool = False

    @property
    def place(self) -> str:
        """Where it stands in a list, by which the rest of that is found."""
        return f"{self.upd}-{self.x}"


@dataclass(frozen=True, slots=True)
class ListPage:
    """A part of a list: the place up to which it goes, '' = to the end; ``looked`` at so many."""

    place: str
    looked: int
    threads: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class ListCount:
    """How many threads there are up to a place, '' = in all; ``looked`` at so many."""

    place: str
    looked: int
    threads: int
