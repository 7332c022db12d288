"""The state of the modelled system: one thread, its workers, the broker's messages.

What fences (epochs, rounds, tokens) is a tuple that ends with an era, 0 before and 1 after a
fail-over, which stands for "a nonce is never made twice". The mutant that counts instead of drawing
leaves the era out when it compares; the whole tuple travels on as what really happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

Nonce = tuple[Any, ...]
Epoch = tuple[str, int, int, int, int, int]
"""Frame ('r', or its number), run, step, how often what ran is void, era of its checkpoint, era."""


class Violation(Exception):
    """What may never happen."""


class Task(NamedTuple):
    """A task of an open superstep.

    ``st``: Q queued, R running, B backing off, P parked on a frame, I asking, D done; inside a
    frame also X failed for good, E left its graph, N a call that was not made yet.
    ``rnd``: round of its answers; ``tok``: token of the present claim; ``n``: attempts; ``inner``:
    how many supersteps of a graph called inside it are stored. ``by`` is what really happened: of
    a done task (epoch, round, token) of the attempt whose writes are recorded, of an asking one
    the instance of its question, (epoch, task, round, token). Of a task that is a graph ``by`` are
    all instances that are asked inside, ``given`` those that were answered, and ``risen`` says
    that its frame has something for it to collect.
    """

    st: str
    rnd: Nonce
    tok: Nonce | None
    n: int
    by: Any
    inner: int = 0
    risen: bool = False
    given: frozenset[Nonce] = frozenset()


class Frame(NamedTuple):
    """An open superstep; one without tasks is a frame at a breakpoint.

    ``adv``: None, ('Q',) or ('L', token), ``advances``: how often it was given; ``open``: of a
    mutant alone. ``adopted``: how often it really was. ``born``: the epoch in which it was opened.
    Of a frame inside a task: ``around``: the epoch around it when that parked, ``within``: the
    superstep that it is part of, ``rnd``: the round of the attempt that parked; ``due``: whether
    sweeps look at it; ``told``: the round of the root's task when it came to a breakpoint.
    """

    ep: Epoch
    tasks: tuple[Task, ...]
    adv: Nonce | None
    open: int
    born: Epoch
    adopted: int = 0
    advances: int = 0
    around: Epoch | None = None
    within: Epoch | None = None
    rnd: Nonce = ()
    due: bool = True
    told: Nonce = ()


class Store(NamedTuple):
    """What Redis holds. ``st``: R busy, S interrupted, F error, D done, C cancelled.

    ``heads``: how many supersteps of each frame are stored. ``staged``: the moment in which answers
    to many questions came, and these questions; ``moves``: those of an accepted call that are not
    with their tasks yet, None when there is no such call.
    """

    st: str
    run: int
    frames: tuple[Frame | None, ...]
    committed: frozenset[Nonce]
    heads: tuple[int, ...] = (0,)
    staged: Nonce | None = None
    moves: frozenset[Nonce] | None = None


class Budget(NamedTuple):
    """How often what has a budget may still happen."""

    lost: int
    fails: int
    cancels: int
    adopts: int
    fail_overs: int
    updates: int = 0


class System(NamedTuple):
    """Everything. ``known``: questions that the client saw and may answer at any later time.

    ``over``: those whose deadlines are over; ``late``: those of them that a sweep has found, and
    may answer at any later time.
    """

    store: Store
    messages: frozenset[Nonce]
    workers: tuple[Nonce, ...]
    era: int
    replica: Store | None
    known: frozenset[Nonce]
    budget: Budget
    over: frozenset[Nonce] = frozenset()
    late: frozenset[Nonce] = frozenset()


IDLE: Nonce = ("idle",)
NOTHING = Budget(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is explored: the kinds of the tasks of each superstep, the faults, a safeguard less.

    Kinds: ok; intr and intrx2 ask once and twice; sub1, sub2... are graphs whose supersteps are
    jobs, those of ``frames``; out1 and out2 leave one graph, or two; inner calls a graph of two
    supersteps in its own process, inner-intr one that asks after the first; stop calls one that
    stops at a breakpoint, which is a question that nobody sees.
    ``stops``: frames and steps before which they stop; ``parent_retries``: a task whose frame has
    failed tries again; ``updated``: the frame that a client may put a checkpoint on. ``calls``:
    frames whose tasks are calls of functions, and how many of them are made before each wait;
    ``caught``: their failures are caught. ``wide``: answers to many questions are given at once.
    ``sliced``: tasks of a frame that run again are queued one by one before its task is parked.
    ``without`` names a safeguard that is taken out.
    """

    steps: tuple[tuple[str, ...], ...]
    frames: tuple[tuple[tuple[str, ...], ...], ...] = ()
    stops: frozenset[tuple[int, int]] = frozenset()
    parent_retries: bool = False
    updated: int = 0
    calls: tuple[tuple[int, tuple[int, ...]], ...] = ()
    caught: bool = False
    workers: int = 2
    # Attempts of one task that may be alive at once; beyond, only the dead lose their lease.
    zombies: int = 2
    budget: Budget = NOTHING
    deadlines: bool = False
    fails_for_good: bool = False
    strict: bool = False
    wide: bool = False
    sliced: bool = False
    without: str = ""

    def kinds(self, ep: Epoch) -> tuple[str, ...]:
        """Return the kinds of the tasks of a superstep."""
        return self.plan(index_of(ep))[ep[2]]

    def plan(self, index: int) -> tuple[tuple[str, ...], ...]:
        """Return the supersteps of a frame."""
        return self.frames[index - 1] if index else self.steps

    def waves(self, index: int) -> tuple[int, ...]:
        """Return how many calls are made before each wait; nothing where a frame is a graph's."""
        return dict(self.calls).get(index, ())

    def around(self, index: int) -> tuple[int, int]:
        """Return the frame around a frame, and which of its tasks the frame belongs to."""
        name = f"sub{index}"
        plans = (self.steps, *self.frames)
        found = ((i, step) for i, plan in enumerate(plans) for step in plan if name in step)
        frame, kinds = next(found)
        return frame, kinds.index(name)

    def same(self, one: Nonce | None, other: Nonce | None) -> bool:
        """Compare what fences."""
        if one is None or other is None:
            return one is other
        return counted(one) == counted(other) if self.without == "nonces" else one == other


def counted(nonce: Nonce) -> Nonce:
    """Return what is left of a nonce that is counted instead of drawn."""
    return nonce[:-2] if isinstance(nonce[0], str) else nonce[:-1]


def checkpoint_of(ep: Epoch) -> Nonce:
    """Return what an adoption does not change: the checkpoint that the superstep runs from."""
    return (*ep[:3], ep[4])


def questions(kind: str) -> int:
    """Return how many questions a task of this kind asks, one after the other."""
    return {"intr": 1, "intrx2": 2, "inner-intr": 1, "stop": 1}.get(kind, 0)


def inner_steps(kind: str) -> int:
    """Return how many supersteps the graph has that a task of this kind calls."""
    return 2 if kind.startswith("inner") else 0


def index_of(ep: Epoch) -> int:
    """Return which of the frames a superstep belongs to."""
    return 0 if ep[0] == "r" else int(ep[0])


def frame_of(kind: str) -> int:
    """Return which frame a task of this kind is, or 0."""
    return int(kind[3:]) if kind.startswith("sub") else 0


def leaves(kind: str) -> int:
    """Return how many graphs a task of this kind leaves by its command."""
    return int(kind[3:]) if kind.startswith("out") else 0


def opened(scenario: Scenario, ep: Epoch) -> Frame:
    """Return a superstep of which nothing has run."""
    kinds = scenario.kinds(ep)
    tasks = tuple(Task("Q", (0, 0), None, 0, None) for _ in kinds)
    return Frame(ep, tasks, None, len(kinds), ep)


def hints(frame: Frame) -> frozenset[Nonce]:
    """Return what is published for a superstep that was just opened."""
    return frozenset(("T", frame.ep, tid) for tid in range(len(frame.tasks)))


def first(scenario: Scenario) -> System:
    """Return the system in which the run has just been started."""
    root = opened(scenario, ("r", 0, 0, 0, 0, 0))
    inside = len(scenario.frames)
    store = Store("R", 0, (root, *[None] * inside), frozenset(), (0,) * (1 + inside))
    workers = (IDLE,) * scenario.workers
    return System(store, hints(root), workers, 0, None, frozenset(), scenario.budget)


def with_frame(store: Store, index: int, frame: Frame | None) -> Store:
    """Return ``store`` with a frame replaced."""
    return store._replace(frames=(*store.frames[:index], frame, *store.frames[index + 1 :]))


def with_task(store: Store, index: int, tid: int, task: Task) -> Store:
    """Return ``store`` with a task replaced."""
    frame = frame_at(store, index)
    tasks = (*frame.tasks[:tid], task, *frame.tasks[tid + 1 :])
    return with_frame(store, index, frame._replace(tasks=tasks))


def frame_at(store: Store, index: int) -> Frame:
    """Return a frame that is there."""
    frame = store.frames[index]
    assert frame is not None
    return frame
