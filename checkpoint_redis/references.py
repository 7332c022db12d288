"""How a checkpoint refers to the values of its channels in Redis; pure.

A value is "channel@reference"; of a list in segments it is an Extent, and each segment has a name
that ends in its number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from distgraph.checkpoint.lines import (
    Placed,
    check_of,
    closed,
    holds,
    next_segment,
    numbered_segment,
    segment,
    segments,
)
from distgraph.core.model import Line


class Extent(NamedTuple):
    """How far a list reaches: to the ``last`` segment of its own in a line, "channel@line".

    ``check`` tells their items from all others: after a fail-over other segments may have their
    names. '' = nobody can tell.
    """

    line: str
    last: int
    check: str = ""


Ref = str | Extent
Blobs = Mapping[str, bytes | None]
"""What is stored, by name."""


def name_of(channel: str, reference: Any) -> str:
    """Return what the value, or the segment, of a channel is called."""
    return f"{channel}@{reference}"


def refs_of(versions: Mapping[str, Any], lines: Mapping[str, Line]) -> tuple[Ref, ...]:
    """Return what the channels of a checkpoint refer to."""
    whole = [name_of(name, ref) for name, ref in versions.items() if name not in lines]
    divided = [
        Extent(name_of(name, line.name), line.segments, check_of(line))
        for name, line in lines.items()
    ]
    return (*whole, *divided)


def ref_of(name: str) -> Ref:
    """Return what refers to a value, or to a segment with those before it, by its name."""
    place = numbered_segment(name)
    return Extent(*place) if place else name


def names(refs: Iterable[Ref], *, beyond: bool = False) -> tuple[str, ...]:
    """Return the names of all values and segments, with ``beyond`` also of the next segments."""
    return tuple(name for ref in refs for name in _names(ref, int(beyond)))


def _names(ref: Ref, beyond: int) -> Iterable[str]:
    if isinstance(ref, str):
        return (ref,)
    return (segment(ref.line, number) for number in range(1, ref.last + beyond + 1))


def needs(refs: Iterable[Ref], held: Collection[str], new: Collection[str]) -> list[str]:
    """Return the names that must be stored already, that all of ``refs`` can be read.

    ``held``: the names of the values that the checkpoint has; ``new``: those that come along. The
    last segment stands for all before it.
    """
    found = []
    for ref in refs:
        if isinstance(ref, str):
            found += [ref] if ref in held and ref not in new else []
        else:
            before = ref.last - (segment(ref.line, ref.last) in new)
            found += [segment(ref.line, before)] if before else []
    return found


def doubtful(lists: Iterable[Extent], known: Collection[str], blobs: Blobs) -> list[str]:
    """Return the segments of the lists of which some are ``known`` that are not those meant."""
    found = list[str]()
    for ref in lists:
        own = names((ref,))
        if any(name in known for name in own) and not holds(ref.check, map(blobs.get, own)):
            found += own
    return found


def versioned(
    versions: Mapping[str, Any], lines: Mapping[str, Line]
) -> dict[str, tuple[Any, Line]]:
    """Return ``lines`` with the versions of their channels."""
    return {name: (versions[name], line) for name, line in lines.items()}


def free(refs: Iterable[Ref], new: Collection[str]) -> list[str]:
    """Return the names of the segments among ``new`` that go on with a line."""
    lists = (ref for ref in refs if not isinstance(ref, str) and ref.last > 1)
    last = (segment(ref.line, ref.last) for ref in lists)
    return [name for name in last if name in new]


@dataclass(frozen=True, slots=True)
class Growing:
    """What is to be stored of lists that may grow: blobs by their names, and where they stand."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)

    def add(self, channel: str, version: str, placed: Placed) -> None:
        """Add the list of a channel, whose version has the reference ``version``."""
        last = version
        if placed.line is not None:
            self.lines[channel] = placed.line
            last = segment(placed.line.name, placed.line.segments)
        if placed.blob is not None:
            self.blobs[name_of(channel, last)] = placed.blob


def read_values(
    versions: Mapping[str, Any],
    lines: Mapping[str, Line],
    blobs: Blobs,
    load: Callable[[str, bytes], Any],
) -> dict[str, Any]:
    """Return the values that ``blobs`` has in whole, each read by ``load`` with its channel."""
    found: dict[str, Any] = {}
    for name, ref in versions.items():
        line = lines.get(name)
        parts = [blobs.get(name_of(name, each)) for each in (segments(line) if line else (ref,))]
        if None not in parts:
            read = [load(name, part) for part in parts if part is not None]
            found[name] = [item for each in read for item in each] if line else read[0]
    return found


def read_lines(lines: Mapping[str, Line], blobs: Blobs) -> dict[str, Line]:
    """Return ``lines``, those closed of which the next segment is there: another fork has it."""
    return {
        name: line if blobs.get(name_of(name, next_segment(line))) is None else closed(line)
        for name, line in lines.items()
    }
