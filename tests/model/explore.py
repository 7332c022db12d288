"""Search through all interleavings: no violation, and a way out of every state."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from tests.model.move import current
from tests.model.moves import moves
from tests.model.state import Scenario, System, Violation, first

Path = tuple[str, ...]
TOO_MANY = 8_000_000


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search found: ``fault`` says what is wrong, ``path`` what had happened before."""

    states: int
    transitions: int
    fault: str = ""
    path: Path = ()


class _Search:
    """Breadth first, so that a path to a violation is a shortest one."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        start = first(scenario)
        self.known: dict[System, int] = {start: 0}
        self.parents, self.ends, self.transitions = array("q", [-1]), array("q"), 0
        # Of each state those from which it can be reached without a fault.
        self.calm: list[array[int]] = [array("q")]
        self.todo, self.here = deque([start]), 0

    def forward(self) -> None:
        while self.todo:
            system = self.todo.popleft()
            self.here = self.known[system]
            if system.store.st in "DC":
                self.ends.append(self.here)
            for move in moves(self.scenario, system):
                self.transitions += 1
                there = self._number(current(self.scenario, move.after), self.here)
                if not move.fault:
                    self.calm[there].append(self.here)

    def _number(self, system: System, parent: int) -> int:
        found = self.known.get(system)
        if found is None:
            found = self.known[system] = len(self.known)
            if found > TOO_MANY:
                raise MemoryError(f"More than {TOO_MANY:,} states: make the scenario smaller.")
            self.parents.append(parent)
            self.calm.append(array("q"))
            self.todo.append(system)
        return found

    def lost(self) -> int | None:
        """Return a state from which no end can be reached without a further fault."""
        out = bytearray(len(self.known))
        todo = deque(self.ends)
        for end in todo:
            out[end] = 1
        while todo:
            for before in self.calm[todo.popleft()]:
                if not out[before]:
                    out[before] = 1
                    todo.append(before)
        found = out.find(0)
        return None if found < 0 else found

    def path(self, state: int) -> Path:
        """Return what happens on the way to a state."""
        systems = list(self.known)
        numbers = [state]
        while (parent := self.parents[numbers[-1]]) >= 0:
            numbers.append(parent)
        way = [systems[number] for number in reversed(numbers)]
        return tuple(self._label(*pair) for pair in pairwise(way))

    def _label(self, before: System, after: System) -> str:
        found = moves(self.scenario, before)
        return next(m.said for m in found if current(self.scenario, m.after) == after)


def explore(scenario: Scenario) -> Explored:
    """Search through everything that can happen in ``scenario``."""
    search = _Search(scenario)
    try:
        search.forward()
    except Violation as violation:
        path = search.path(search.here)
        return Explored(len(search.known), search.transitions, str(violation), path)
    lost = search.lost()
    if lost is None:
        return Explored(len(search.known), search.transitions)
    return Explored(len(search.known), search.transitions, "no way out", search.path(lost))
