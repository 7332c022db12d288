"""Measures rows in alternating pairs, and refuses a side whose result is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

from bench.rows import Row


class WrongResultError(Exception):
    """A side did not do its work: its time says nothing."""


class Side(Protocol):
    """Something that carries out workloads."""

    def measure(self, workload: str, size: int) -> tuple[float, Any]:
        """Return seconds and the result."""
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


def measure(row: Row, ours: Side, peer: Side, pairs: int) -> Measured:
    """Run a row ``pairs`` times after a small go on each side: ours, peer, peer, ours, ours, ...

    Who comes first changes from pair to pair, because that side is slower by up to a twentieth.
    Raises WrongResultError as soon as a result is not the expected one.
    """
    sides = [("ours", ours, row.ours), ("peer", ours if row.beside else peer, row.peer)]
    sides = [side for side in sides if side[2]]
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    for _, side, workload in sides:
        _once(row, side, workload, row.warm)
    for pair in range(pairs):
        for name, side, workload in sides if pair % 2 == 0 else sides[::-1]:
            times[name].append(_once(row, side, workload, row.size))
    return Measured(row, tuple(times["ours"]), tuple(times["peer"]))


def _once(row: Row, side: Side, workload: str, size: int) -> float:
    seconds, result = side.measure(workload, size)
    if result != row.expected(size):
        raise WrongResultError(
            f"{row.title}: '{workload}' of size {size} gave {result!r}, not {row.expected(size)!r}"
        )
    return seconds / size * 1e6
