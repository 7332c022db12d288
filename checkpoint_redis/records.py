"""What the commands are given; blobs are opaque here, whoever encodes them puts a version first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checkpoint_redis.bundles import Bundle
from checkpoint_redis.frames import FrameName
from checkpoint_redis.layout import StepOutcome
from checkpoint_redis.references import Ref
from distgraph.core.model import Line

STAGE_ABOVE = 1_000
"""A superstep of more tasks is stored by ``stage`` first, in chunks of at most this many."""


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One task to be queued; ``queue`` '' is the graph's own queue.

    ``reads``: the channels that it reads. ``packet`` names the one that it gets, '' = none.
    ``limit_ms`` (0 = none) and ``batch`` are carried for what is to come. ``inner`` is the hash of
    the frame of the graph that its node is. ``answers`` are those that it has from the beginning.
    ``name`` is for those who watch its message, and is not stored.
    """

    id: str
    blob: bytes
    queue: str = ""
    priority: int = 0
    reads: tuple[str, ...] = ()
    packet: str = ""
    limit_ms: int = 0
    batch: str = ""
    inner: str = ""
    answers: tuple[bytes, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointEntry:
    """A checkpoint: ``refs`` are all its channels, ``channels`` the new blobs by their names.

    ``lines``: where its lists stand, for who goes on from it. ``packets``: the new bundles that its
    record refers to; staged ones were stored before.
    """

    id: str
    blob: bytes
    step: int
    refs: tuple[Ref, ...] = ()
    channels: Mapping[str, bytes] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)
    packets: tuple[Bundle, ...] = ()


@dataclass(frozen=True, slots=True)
class NewHead:
    """The checkpoint that becomes the head of a frame; cp '' when none is left."""

    ns: str
    cp: str = ""
    step: int = 0
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class OlderEntry:
    """An older checkpoint of which a run opens the superstep again, and what of that is kept.

    ``head`` is that checkpoint, ``done`` what some of its tasks have left, by their ids.
    ``answered``: the ids of questions with which some were left, and which have answers now.
    """

    head: NewHead
    done: tuple[tuple[str, bytes], ...] = ()
    answered: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class SuperstepEntry:
    """What follows a start or a commit.

    ``go`` queues ``tasks``; ``stop`` is a static breakpoint; ``end`` is success; ``fail`` ends the
    run with ``error``. ``caller_writes``: what the caller wrote into it. ``staged``: ``stage`` has
    stored the tasks under ``ep`` already, those in ``tasks`` come on top. ``event``: what the frame
    shows of it, where that is one inside a task.
    """

    ep: str
    checkpoints: tuple[CheckpointEntry, ...]
    tasks: tuple[TaskEntry, ...]
    outcome: StepOutcome
    error: bytes = b""
    caller_writes: tuple[bytes, ...] = ()
    staged: bool = False
    event: bytes = b""


class QuestionEntry(NamedTuple):
    """A question of a task; one with a deadline has a ``place``.

    ``deadline`` in ms since 1970, 0 = none; where ``within`` is not -1 it is so many ms after the
    question was stored first. ``late``: what takes the place of an answer then.
    """

    iid: str
    deadline: int = 0
    within: int = -1
    place: str = ""
    late: bytes = b""


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """What one task left: its writes, or with ``questions`` the blob of what it asks.

    packets: what it sent. ``escapes``: a command for a graph around, to which its frame goes up.
    ``collected``: taken from the frame inside it, as that stood.
    """

    tid: str
    rnd: str
    blob: bytes
    event: bytes = b""
    questions: tuple[QuestionEntry, ...] = ()
    packets: tuple[Bundle, ...] = ()
    escapes: bool = False
    collected: bool = False


@dataclass(frozen=True, slots=True)
class InnerEntry:
    """What an attempt stores of a graph that is called in it; ``frame`` is its name.

    ``records`` of the tasks of the checkpoint ``cp``, then ``checkpoints``, whose last becomes the
    head. ``seen`` is the frame's epoch as the attempt knows it, '' where there is none.
    """

    frame: FrameName
    seen: str
    cp: str
    records: tuple[bytes, ...] = ()
    checkpoints: tuple[CheckpointEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class AgainEntry:
    """A task of a frame that runs again, with the answers that it has now; what is done stays.

    One that is queued has its hint again, one that is running gets time to finish.
    """

    tid: str
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class CallsEntry:
    """Calls of functions that a task begins, ``ep`` is their epoch where none of it are open.

    ``staged``: ``stage`` has stored the calls under ``ep`` already, which only the first may.
    """

    ep: str
    tasks: tuple[TaskEntry, ...]
    staged: bool = False


@dataclass(frozen=True, slots=True)
class ParkEntry:
    """What a graph that is a node goes on with while its task is parked; or a function's calls.

    Either ``step`` is opened, behind what is not stored yet of the frame (``inner``; ``staged``:
    ``stage`` has its tasks), or, with None, the superstep that is open goes on with the tasks
    ``again``. ``stop`` is the last step that it may run, ``released`` the checkpoint whose static
    stop it passes, ``call`` what else jobs are to know of the call. ``calls``: the frame is that of
    the functions which the task calls, of which these begin, beside those of ``again``.
    """

    inner: InnerEntry
    step: SuperstepEntry | None = None
    again: tuple[AgainEntry, ...] = ()
    stop: int = 0
    released: str = ""
    call: bytes = b""
    calls: CallsEntry | None = None


@dataclass(frozen=True, slots=True)
class KeepEntry:
    """What functions have returned that ran in the process of the attempt that called them.

    ``frame`` is that of the calls of its task, ``seen`` its epoch as the attempt knows it, '' where
    there is none; ``results`` are the ids of calls and their records.
    """

    frame: FrameName
    seen: str
    results: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """An answer to one question of one task."""

    ns: str
    tid: str
    iid: str
    blob: bytes


@dataclass(frozen=True, slots=True)
class StagedAnswers:
    """How many slices of answers were staged, all of them in one ``moment``."""

    slices: int = 0
    moment: str = ""


NOT_STAGED = StagedAnswers()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one attempt at a task, or at an advance (tid '@'), as its holder knows it."""

    x: str
    ns: str
    ep: str
    tid: str
    tok: str
