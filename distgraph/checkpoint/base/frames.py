"""What the name of a frame tells, and which checkpoints of called graphs go with those around them.

A name is LangGraph's: ``node:task id|node:task id``, without the ids where a graph keeps its state
from run to run, and with ``|1`` behind it from the second call in a task on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

C = TypeVar("C")


def parent_of(name: str) -> str:
    """Return the name of the frame of the task around ``name``'s."""
    return "|".join(_own(name)[:-1])


def task_of(name: str) -> str:
    """Return the id of the task around; '' where the name has none, as it outlives its tasks."""
    return _own(name)[-1].partition(":")[2]


def path_of(name: str) -> tuple[str, ...]:
    """Return the names of nodes from the root graph on."""
    parts = (part for part in name.split("|") if not part.isdigit())
    return tuple(part.partition(":")[0] for part in parts)


def _own(name: str) -> list[str]:
    """Return the parts of a name without the number of a further call."""
    parts = name.split("|")
    return parts[:-1] if parts[-1].isdigit() else parts


def with_orphans(
    found: Mapping[C, tuple[str, str]],
    gone: Collection[C],
    parents: Callable[[C], Mapping[str, str]],
) -> set[C]:
    """Return ``gone`` with those checkpoints that were called from one of them.

    ``found`` tells the frame and the id of each, ``parents`` the checkpoints of the frames around
    one. What is in a frame that outlives its tasks stays.
    """
    alive = {found[each] for each in found if each not in gone}
    orphans = set(gone)
    for each in sorted(found, key=lambda each: found[each][0].count("|")):
        name = found[each][0]
        around = parent_of(name)
        caller = parents(each).get(around) if task_of(name) else None
        if caller and (around, caller) not in alive:
            orphans.add(each)
            alive.discard(found[each])
    return orphans
