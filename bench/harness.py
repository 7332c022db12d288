"""Measures rows in alternating pairs, and refuses a side whose result is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

from bench.rows import Row

LEAST = 1.0
"""Seconds that a side works in each pair."""


class WrongResultError(Exception):
    """A side did not do its work: its time says nothing."""


class Side(Protocol):
    """Something that carries out workloads."""

    def measure(self, workload: str, size: int) -> tuple[float, Any]:
        """Return seconds and the result."""
        ...


class Sides(Protocol):
    """Ours and the peer, ready to be measured."""

    @property
    def ours(self) -> Side:
        """Return ours."""
        ...

    @property
    def peer(self) -> Side:
        """Return the peer."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """A row's times, in microseconds per unit; ``peer`` is empty where there is no peer."""

    row: Row
    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Return ours / peer of each pair."""
        if not self.peer:
            return ()
        return tuple(mine / theirs for mine, theirs in zip(self.ours, self.peer, strict=True))

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' ratios; below 1, ours is the faster one."""
        return median(self.ratios) if self.peer else None

    def as_json(self) -> dict[str, Any]:
        """Return what a file keeps of it."""
        return {
            "row": self.row.title,
            "unit": self.row.unit,
            "ratio": self.ratio,
            "ratios": self.ratios,
            "ours_us": self.ours,
            "peer_us": self.peer,
        }


def measure(
    rows: Sequence[Row],
    staged: Callable[[], AbstractContextManager[Sides]],
    pairs: int,
    say: Callable[[str], object],
) -> list[Measured]:
    """Measure every row in ``pairs`` pairs, each on a stage of its own.

    Processes once started may stay a twentieth faster or slower for as long as they live, and
    pairs that share them would share that. Who comes first changes from pair to pair, because that
    side is slower by as much. Raises WrongResultError as soon as a result is not the expected one.
    """
    taken: list[list[dict[str, float]]] = [[] for _ in rows]
    for number in range(pairs):
        with staged() as sides:
            for row, mine in zip(rows, taken, strict=True):
                say(f"{number + 1}/{pairs} {row.title} ...")
                mine.append(_pair(row, sides, ours_first=number % 2 == 0))
    return [_measured(row, mine) for row, mine in zip(rows, taken, strict=True)]


def _measured(row: Row, pairs: Sequence[Mapping[str, float]]) -> Measured:
    ours, peer = (tuple(pair[side] for pair in pairs if side in pair) for side in ("ours", "peer"))
    return Measured(row, ours, peer)


def _pair(row: Row, at: Sides, *, ours_first: bool) -> dict[str, float]:
    """Return the times of both sides, each of which had a small go before.

    They take turns until each has worked for ``LEAST`` seconds: a shorter time says more of what
    the machine did besides.
    """
    sides = [("ours", at.ours, row.ours), ("peer", at.ours if row.beside else at.peer, row.peer)]
    sides = [side for side in sides if side[2]]
    for _, side, workload in sides:
        _once(row, side, workload, row.warm)
    ordered = sides if ours_first else sides[::-1]
    spent, turns = {name: 0.0 for name, _, _ in sides}, 0
    while min(spent.values()) < LEAST:
        for name, side, workload in ordered:
            spent[name] += _once(row, side, workload, row.size)
        ordered, turns = ordered[::-1], turns + 1
    return {name: seconds / (turns * row.size) * 1e6 for name, seconds in spent.items()}


def _once(row: Row, side: Side, workload: str, size: int) -> float:
    """Return the seconds that a workload took."""
    seconds, result = side.measure(workload, size)
    if result != row.expected(size):
        raise WrongResultError(
            f"{row.title}: '{workload}' of size {size} gave {result!r}, not {row.expected(size)!r}"
        )
    return seconds
