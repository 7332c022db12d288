"""Names and letters of what is stored: the keys, fields and states of a thread.

Lua knows the classes by the names of ``folding.VOCABULARY``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from distgraph.checkpoint import lines

StepOutcome = Literal["go", "stop", "end", "fail"]
"""What follows a superstep: tasks, a static stop, success, an error."""
AnswerMode = Literal["resume", "reask", "retry"]
RunKind = Literal["start", "resume", "reask", "retry"]
"""How a run began."""
LINE_WORDS: Final = (
    *("pending", "success", "error", "interrupted", "cancelled", "joined"),
    *("start", "resume", "reask", "retry"),
)
"""What a line of a run has a code for: the number of a status or kind, from 1 on."""


class ThreadKey(StrEnum):
    """The ends of a thread's keys, after ``<namespace>{<shard>}:<x>:``."""

    header = "h"
    checkpoints = "c"
    frozen = "z"
    listing = "i"
    events = "e"
    # Packets: the names of the bundles that have keys of their own, and these, before that name.
    bundles = "j"
    bundle = "j:"
    # The names of the frames inside tasks by their hashes, and before its hash the key of each.
    frames = "fs"
    frame = "f:"
    # Before its id the record of a run that is not the last.
    run = "n:"
    # Of the open superstep, before the frame's hash.
    tasks = "s:"
    writes = "w:"
    questions = "u:"
    # What its tasks sent.
    sent = "p:"
    # What the tasks of dropped supersteps sent and nobody has removed yet: names, and before a name
    # a HASH as ``sent`` is.
    unsent = "g"
    dropped = "g:"
    # Frames inside its tasks of which something is open -> task.
    inner = "o:"
    # What was in such hashes of supersteps that are over, and is still to be dropped: names, and
    # before a name a HASH as ``inner`` is.
    ended = "y"
    aside = "y:"
    # What large supersteps left: the ends of their keys, and before such an end a key.
    wide = "l"
    left = "l:"
    active = "a:"
    queued = "q:"
    # What a wide call goes on with and has not queued yet: slices of answers, the questions of what
    # is asked again, and the tasks that are tried again.
    answers = "m:"
    withdrawn = "v:"
    failed = "r:"
    # Answers that are being staged, before the round that they begin.
    staged_answers = "M:"
    # Of one that is being staged, before its epoch.
    staged_tasks = "S:"
    staged_active = "A:"
    staged_queued = "Q:"


class ShardKey(StrEnum):
    """The ends of a shard's keys; ``found`` is followed by the name of a set of threads."""

    due = "due"
    ends = "ends"
    # Due entries of outboxes: the look for lost hints walks over these alone.
    outboxes = "ob"
    found = "ix:"
    # Before the ends of ``KeptKey``.
    kept = "kept"


class KeptKey(StrEnum):
    """What a store keeps, after ``<namespace>{<shard>}:kept``, the set of its namespaces.

    ``item`` is followed by the name of an item, ``listed`` by a namespace.
    """

    item = ":i:"
    # The keys of a namespace by the order in which they came.
    listed = ":k:"
    # The names of those items that lapse, by when that was due when they were put.
    due = ":due"


class KeptField(StrEnum):
    """Fields of an item; times in microseconds since 1970."""

    content = "v"
    created = "c"
    updated = "u"
    # How long it is kept, in ms; absent for ever.
    ttl = "t"
    vectors = "e"


class IndexName(StrEnum):
    """Sets of threads by when they changed; all but ``all`` are followed by what those have."""

    all = "all"
    status = "s:"
    graph = "g:"
    mark = "m:"


class HeaderField(StrEnum):
    """Fields of a thread's header."""

    # The highest number of a form that is stored in the thread, and the release that wrote it.
    form = "v"
    release = "rel"
    id = "id"
    graph = "graph"
    fingerprint = "fp"
    queue = "queue"
    status = "st"
    # The last run, which may be under way.
    run = "run"
    created = "created"
    updated = "upd"
    # By which of its metadata it is found.
    marks = "marks"
    # How many events the thread has had.
    event_count = "evn"
    # The bytes of payloads since a mark, the id of an entry; what is older than that may go.
    event_bytes = "evb"
    event_mark = "evm"
    # The last cancel: its nonce, and the run that the thread had.
    cancelled = "can"


class FrameField(StrEnum):
    """Fields of a frame: the root's in the header, those of one inside a task in its own key."""

    called = "name"
    # Of the frame around: its hash, and which of its tasks.
    parent = "parent"
    task = "task"
    # Names of nodes from the root graph on, by which a worker finds the inner graph.
    path = "path"
    graph = "graph"
    fingerprint = "fp"
    epoch = "/ep"
    checkpoint = "/cp"
    step = "/step"
    advance = "/adv"
    advance_token = "/advtok"  # noqa: S105 - a field
    advances = "/advn"
    caller_writes = "/caller_writes"
    # "visits size" of an outbox that was looked at; "size at pause" of one beside an empty queue.
    visited = "/dk"
    waiting = "/ov"
    # Of a frame whose task is parked: the epoch of the superstep around it, the last step that it
    # may run, and the checkpoint whose static stop it passes.
    around = "/around"
    stop = "/stop"
    released = "/rel"
    # What its task tells of the call.
    call = "/call"
    # What its superstep is: FrameKind.calls, or that of a graph where it has none.
    kind = "/kind"
    # Why nothing follows its last superstep; the run in which it went up last; what its task, which
    # was not parked then, has to be told.
    error = "/err"
    up = "/up"
    missed = "/missed"


class FrameKind(StrEnum):
    """What a frame inside a task is, where it is no graph's."""

    # Of the functions that the task calls: they are its one superstep, and it has no checkpoint.
    calls = "calls"


class Field(StrEnum):
    """Fields of the checkpoint key; those that end in "|" are followed by a name."""

    checkpoint = "k|"
    channel = "v|"
    packet = "j|"
    head_refs = "f|"
    log = "p|"
    caller_writes = "z|"
    packed = "s|"
    # What the tasks left that ran from a checkpoint.
    left = "l|"
    # The record of the last run; a line for each run before; the answers that joined a run.
    run = "n|"
    lines = "runs"
    joined = "joined"
    # The metadata of the thread.
    about = "about"


class TaskField(StrEnum):
    """Fields of the open superstep's tasks; those that end in "|" are followed by an id."""

    record = "t|"
    blob = "i|"
    error = "e|"
    answer = "r|"
    question = "v|"
    # The questions that were answered, those asked again instead, and the last round of these.
    asked = "h|"
    asked_again = "g|"
    answered = "ha"
    # What it failed with before it ran again, as one of its questions that nobody answered.
    failed = "f|"
    # What a wide call still has to queue: MoveRow.
    move = "m"
    # The tasks whose graphs are at breakpoints, numbered, how many these are, and how many of them
    # a wide call releases.
    stopped = "b|"
    stops = "bn"
    released = "bf"
    caller_write = "z|"
    # Before a question's id, of any frame, in the root's: <frame>|<task> that asks it.
    interrupt = "q|"
    # When what a task asks is over: by place, also once it was answered there. Before a question's
    # id, in place of an answer that nobody gives in time.
    deadlines = "d|"
    late = "x|"
    # Before a digest of the names of the channels that some tasks read: these, as JSON.
    reads = "n|"
    writes_size = "wb"


class MetaField(StrEnum):
    """Fields of a namespace's own record."""

    version = "v"
    shards = "shards"
    id = "id"


class ThreadStatus(StrEnum):
    """How a thread stands."""

    idle = "idle"
    busy = "busy"
    interrupted = "interrupted"
    error = "error"


class RunStatus(StrEnum):
    """How a run stands."""

    pending = "pending"
    success = "success"
    error = "error"
    interrupted = "interrupted"
    cancelled = "cancelled"
    joined = "joined"


class TaskState(StrEnum):
    """Where a task of an open superstep stands."""

    queued = "Q"
    running = "R"
    backing_off = "B"
    interrupted = "I"
    # The graph inside it has a superstep of its own.
    parked = "P"
    done = "D"
    failed = "X"


class AdvanceState(StrEnum):
    """Where the advance of a closed superstep stands; of an open one there is none."""

    waiting = "q"
    leased = "l"


class DueKind(StrEnum):
    """Why something is looked at; ``unreadable`` is found and never planned."""

    outbox = "d"
    lease = "l"
    back_off = "b"
    advance = "a"
    deadline = "i"
    unsent = "g"
    frames = "f"
    move = "m"
    unreadable = "unreadable"


class TaskId(StrEnum):
    """What stands in place of a task's id."""

    advance = "@"
    # Among the active ones, for all that a wide call has not queued yet.
    move = "&"


class QuestionId(StrEnum):
    """What stands in place of a question's id."""

    # Of a task whose graph is at a breakpoint: no answer has it.
    stopped = "stopped"


class PacketName:
    """How a packet is named: <bundle>/<number>; ``apart`` begins a bundle with its own key."""

    separator: Final = "/"
    apart: Final = "j"


class LinePart:
    """Where the parts of a run's line begin, counted from 1.

    An id begins with ``uuid``, when ``uuid_bytes`` follow, else with its length.
    """

    status: Final = 2
    kind: Final = 3
    began: Final = 4
    took: Final = 10
    ids: Final = 15
    uuid: Final = 255
    uuid_bytes: Final = 16


class GraphName:
    """How a graph is named in what a worker serves: <name>@<fingerprint>."""

    separator: Final = "@"


class SegmentName:
    """How a segment of a list is named: <channel>@<line>;<number>."""

    separator: Final = lines.SEPARATOR


class WriteMark(StrEnum):
    """Whether the gotos of kept caller writes have been followed."""

    followed = "followed"
    open = "open"


class EventKind(StrEnum):
    """The kinds of events."""

    run = "run"
    step = "step"
    task = "task"
    ask = "ask"
    retry = "retry"
    fail = "fail"
    ended = "end"
    custom = "custom"
    inner = "inner"


class EventField(StrEnum):
    """Fields of an entry in the event stream; ``number`` counts the events of the thread."""

    kind = "k"
    number = "n"
    run = "r"
    frame = "f"
    payload = "p"
    blob = "b"


class EndField(StrEnum):
    """Fields of an entry in a shard's stream of ends of runs."""

    run = "r"
    thread = "x"
    status = "s"


class Format:
    """The number of a namespace: of its keys and its shards, in which all its versions agree."""

    version: Final = "1"


class Refusal(StrEnum):
    """With what the error begins that a script answers instead of a reply; numbers follow."""

    newer_format = "NEWERFORMAT"
