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
"""Frame ('r' root, 'c' child), run, step, adoptions, era of its checkpoint, era."""


class Violation(Exception):
    """What may never happen."""


class Task(NamedTuple):
    """A task of an open superstep.

    ``st``: Q queued, R running, B backing off, P parked on a child frame, I asking, D done.
    ``rnd``: round of its answers; ``tok``: token of the present claim; ``n``: attempts; ``inner``:
    how many supersteps of a graph called inside it are stored. ``by`` is what really happened: of
    a done task (epoch, round, token) of the attempt whose writes are recorded, of an asking one
    the instance of its question, (epoch, task, round, token).
    """

    st: str
    rnd: Nonce
    tok: Nonce | None
    n: int
    by: Nonce | None
    inner: int = 0


class Frame(NamedTuple):
    """An open superstep. ``adv``: None, ('Q',) or ('L', token); ``open``: of a mutant alone.

    ``adopted``: how often it really was.
    """

    ep: Epoch
    tasks: tuple[Task, ...]
    adv: Nonce | None
    open: int
    adopted: int = 0


class Store(NamedTuple):
    """What Redis holds. ``st``: R busy, S interrupted, F error, D done, C cancelled.

    ``staged``: the moment in which answers to many questions came, and these questions; ``moves``:
    those of an accepted call that are not with their tasks yet, None when there is no such call.
    """

    st: str
    run: int
    frames: tuple[Frame | None, Frame | None]
    committed: tuple[Nonce, ...]
    advances: int
    staged: Nonce | None = None
    moves: frozenset[Nonce] | None = None


class Budget(NamedTuple):
    """How often what has a budget may still happen."""

    lost: int
    fails: int
    cancels: int
    adopts: int
    fail_overs: int


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

    Kinds: ok; intr and intrx2 ask once and twice; sub is a graph whose supersteps are jobs; inner
    calls a graph of two supersteps in its own process, inner-intr one that asks after the first;
    stop calls one that stops at a breakpoint, which is a question that nobody sees.
    ``wide``: answers to many questions are given at once. ``without`` names a safeguard that is
    taken out.
    """

    steps: tuple[tuple[str, ...], ...]
    child: tuple[tuple[str, ...], ...] = (("ok",),)
    workers: int = 2
    # Attempts of one task that may be alive at once; beyond, only the dead lose their lease.
    zombies: int = 2
    budget: Budget = NOTHING
    deadlines: bool = False
    fails_for_good: bool = False
    strict: bool = False
    wide: bool = False
    without: str = ""

    def kinds(self, ep: Epoch) -> tuple[str, ...]:
        """Return the kinds of the tasks of a superstep."""
        return (self.steps if ep[0] == "r" else self.child)[ep[2]]

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
    return 0 if ep[0] == "r" else 1


def opened(scenario: Scenario, ep: Epoch) -> Frame:
    """Return a superstep of which nothing has run."""
    kinds = scenario.kinds(ep)
    return Frame(ep, tuple(Task("Q", (0, 0), None, 0, None) for _ in kinds), None, len(kinds))


def hints(frame: Frame) -> frozenset[Nonce]:
    """Return what is published for a superstep that was just opened."""
    return frozenset(("T", frame.ep, tid) for tid in range(len(frame.tasks)))


def first(scenario: Scenario) -> System:
    """Return the system in which the run has just been started."""
    root = opened(scenario, ("r", 0, 0, 0, 0, 0))
    store = Store("R", 0, (root, None), (), 0)
    workers = (IDLE,) * scenario.workers
    return System(store, hints(root), workers, 0, None, frozenset(), scenario.budget)


def with_frame(store: Store, index: int, frame: Frame | None) -> Store:
    """Return ``store`` with a frame replaced."""
    root, child = store.frames
    return store._replace(frames=(frame, child) if index == 0 else (root, frame))


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
