"""What a worker knows of the list: segments that it has read or written, as the product keeps them.

They may be those of another time: where checkpoints were removed, or lost with a fail-over, others
may stand in their places.
"""

from __future__ import annotations

from collections.abc import Mapping

from checkpoint_redis import references
from checkpoint_redis.readings import Context
from checkpoint_redis.replies import Advance
from tests.support.sim.plan import Planned
from tests.support.sim.world import World
from workers.worker.segments import Segments


class Shelf:
    def __init__(self, world: World) -> None:
        self._world = world
        # Of the seeds with large items it has room for some of the segments.
        self._segments = Segments(most_bytes=100_000)

    def reach(self) -> Mapping[str, int]:
        """Return what a claim is told: up to which segment the lines are known."""
        return self._segments.reach(self._world.thread.x, "")

    def keep(self, planned: Planned) -> None:
        """Remember the segments of what was committed."""
        for checkpoint in planned.entry.checkpoints:
            self._segments.keep(self._world.thread.x, "", checkpoint.channels)

    def check(self, context: Context) -> None:
        """Whoever has claimed the list comes by it as the checkpoint tells, whatever he knew."""
        found, segments, x = dict(context.channels), self._segments, self._world.thread.x
        segments.keep(x, "", found)
        known = segments.find(x, "", [name for name in found if found[name] is None])
        found = self._read({**found, **known})
        found |= self._read(dict.fromkeys(references.doubtful(context.lists, known, found)))
        if context.lists:
            self._world.check_list(context.head.cp, found)

    def _read(self, found: dict[str, bytes | None]) -> dict[str, bytes | None]:
        read = self._world.channels(tuple(found), found)
        self._segments.keep(self._world.thread.x, "", read)
        return read

    def checked(self, advance: Advance | None) -> Advance | None:
        """Return an advance, of which the list was checked."""
        if advance is not None and advance.context is not None:
            self.check(advance.context)
        return advance
