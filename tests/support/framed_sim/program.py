"""The graphs that are simulated: up to three levels, drawn by seed; and their supersteps.

A checkpoint's id is <stamp>-<number>-<nonce>: `number` supersteps were committed before it. A
task's id is <i>-<checkpoint>. A task of the kind "graph" has the graph of the next level in it. One
of the kind `Calls` calls functions, and graphs of the next level, in jobs of their own: the id of
its call n is <n>.<its own>.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import count

from checkpoint_redis.frames import FrameName
from checkpoint_redis.records import CheckpointEntry, SuperstepEntry, TaskEntry
from tests.support.sim.draw import Draw

LEVELS = 3
CALLING = 0.2
QUEUE = "q"
PLAIN = ("ok", "flaky", "flaky", "asks", "asks twice")
INSIDE = (*PLAIN, "escapes")
ASKS = {"asks": 1, "asks twice": 2}
FUNCTIONS = ("ok", "ok", "flaky", "asks", "asks twice", "here")
"""What is called; "here" runs in the process of its caller."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What a task calls: all of a wave at once, and the next one when these have ended.

    ``catches``: their failures are no failure of its own.
    """

    waves: tuple[tuple[Kind, ...], ...]
    catches: bool = False

    @property
    def made(self) -> tuple[Kind, ...]:
        return tuple(kind for wave in self.waves for kind in wave)


Kind = str | Calls
Plan = tuple[tuple[Kind, ...], ...]


def drawn(seed: int) -> tuple[Plan, ...]:
    """Draw the graph of each level; those above the last have graphs in them.

    In those of some seeds tasks call functions in the place of what they would do.
    """
    draw = random.Random(f"program {seed}")
    plans = tuple(_graph(draw, level) for level in range(LEVELS))
    calls = random.Random(f"calls {seed}")
    return tuple(_calling(calls, plan, n) for n, plan in enumerate(plans)) if seed % 2 else plans


def _calling(draw: random.Random, plan: Plan, level: int) -> Plan:
    """Let some tasks of a graph call."""
    return tuple(
        tuple(_calls(draw, level) if draw.random() < CALLING else kind for kind in kinds)
        for kinds in plan
    )


def _calls(draw: random.Random, level: int, depth: int = 0) -> Calls:
    waves = draw.randint(1, 2)
    made = [[_called(draw, level, depth) for _ in range(draw.randint(1, 2))] for _ in range(waves)]
    return Calls(tuple(map(tuple, made)), catches=draw.random() < CALLING)


def _called(draw: random.Random, level: int, depth: int) -> Kind:
    if depth < 1 and draw.random() < 0.15:
        return _calls(draw, level, depth + 1)
    return "graph" if level < LEVELS - 1 and draw.random() < 0.1 else draw.choice(FUNCTIONS)


def _graph(draw: random.Random, level: int) -> Plan:
    kinds = INSIDE if level else PLAIN
    steps = [[draw.choice(kinds) for _ in range(draw.randint(1, 3))] for _ in range(2)]
    if level < LEVELS - 1:
        graphs = ["graph"] * draw.randint(1, 2)
        steps.insert(draw.randint(0, 2), graphs + [draw.choice(kinds)] * draw.randint(0, 1))
    return tuple(tuple(step) for step in steps)


@dataclass(frozen=True, slots=True)
class Known:
    """What a checkpoint tells: from which one it came, and what the tasks there wrote.

    ``put``: a client put it in the place of one that told the same.
    """

    parent: str = ""
    writes: Mapping[str, str] | None = None
    put: bool = False

    @classmethod
    def read(cls, blob: bytes) -> Known:
        return cls(**json.loads(blob))

    def entry(self, cp: str) -> CheckpointEntry:
        blob = json.dumps(asdict(self)).encode()
        return CheckpointEntry(cp, blob, number_of(cp), (f"c@{cp}",), {f"c@{cp}": b"value"})


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of a level, in whose frame a task works: '' is the root's name.

    The calls of a task have a frame of their own, on its level.
    """

    plans: tuple[Plan, ...]
    name: str = ""

    @property
    def level(self) -> int:
        return self.name.count("n:")

    @property
    def plan(self) -> Plan:
        return self.plans[self.level]

    @property
    def frame(self) -> FrameName:
        graph = f"level {self.level}" if self.level else "graph"
        return FrameName(self.name, graph, "1") if self.name else FrameName()

    @property
    def is_calls(self) -> bool:
        return self.name.endswith("|0")

    def inside(self, tid: str) -> Graph:
        """Return the graph of a task, in its frame."""
        return replace(self, name=f"{self.name}|n:{tid}" if self.name else f"n:{tid}")

    def called_by(self, tid: str) -> Graph:
        """Return the calls of a task, in their frame."""
        return replace(self, name=f"{self.name}|c:{tid}|0" if self.name else f"c:{tid}|0")

    def is_over(self, cp: str) -> bool:
        return number_of(cp) == len(self.plan)

    def kind_of(self, tid: str) -> Kind:
        path, cp = tid.split("-", 1)
        *called, i = path.split(".")
        kind = self.plan[number_of(cp)][int(i)]
        for n in reversed(called):
            assert isinstance(kind, Calls)
            kind = kind.made[int(n)]
        return kind

    def tids(self, cp: str) -> tuple[str, ...]:
        kinds = () if self.is_over(cp) else self.plan[number_of(cp)]
        return tuple(f"{i}-{cp}" for i in range(len(kinds)))

    def opening(
        self, draw: Draw, cp: str, checkpoints: tuple[CheckpointEntry, ...]
    ) -> tuple[SuperstepEntry, tuple[TaskEntry, ...]]:
        """Return the superstep from `cp`, and what is staged of it; now and then a breakpoint."""
        tasks = tuple(TaskEntry(tid, b"", reads=("c",)) for tid in self.tids(cp))
        stops = bool(tasks and checkpoints and self.name and draw.fault(0.05))
        if stops or not tasks:
            outcome = "stop" if stops else "end"
            return SuperstepEntry(draw.nonce(), checkpoints, (), outcome), ()  # type: ignore[arg-type]
        staged = tasks[:1] if draw.chance(0.2) else ()
        return (
            SuperstepEntry(
                draw.nonce(), checkpoints, tasks[len(staged) :], "go", staged=bool(staged)
            ),
            staged,
        )


def number_of(cp: str) -> int:
    return int(cp.split("-")[1])


def new_id(draw: Draw, number: int) -> str:
    return f"{draw.stamp()}-{number}-{draw.nonce()}"


def following(
    draw: Draw, cp: str, writes: Mapping[str, bytes]
) -> tuple[str, tuple[CheckpointEntry, ...]]:
    """Return the checkpoint that follows `cp` when its tasks wrote this."""
    new = new_id(draw, number_of(cp) + 1)
    texts = {tid: writes[tid].decode() for tid in sorted(writes)}
    return new, (Known(cp, texts).entry(new),)


def call_ids(tid: str, calls: Calls) -> Iterator[tuple[str, ...]]:
    """Yield the ids of the calls of a task, wave by wave."""
    numbers = count()
    for wave in calls.waves:
        yield tuple(f"{next(numbers)}.{tid}" for _ in wave)


def questions(kind: str, tid: str, given: int, tok: str) -> tuple[str, ...]:
    """Return the ids of what a task asks that has so many answers: one after the other."""
    return tuple(f"{tid}/{n}/{tok}" for n in range(given, ASKS.get(kind, 0)))[:1]


def labels() -> tuple[str, ...]:
    """Return what workers serve: the root is graph@1."""
    return ("graph@1", *(f"level {n}@1" for n, _ in zip(count(1), range(LEVELS - 1), strict=False)))
