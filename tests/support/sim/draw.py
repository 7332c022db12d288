"""Everything random of one run, from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Faults are drawn while there is `chaos`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        # Apart: what else is drawn, and so what each seed is known for, does not depend on it.
        self.sharing = random.Random(f"sharing {seed}")
        self._seed = seed
        self._stamps = 0
        self.chaos = True
        # Of some seeds a claim brings but the end of a list.
        self.item_bytes = 16_000 if seed % 5 == 0 else 0
        # Of some, removals take so many slices that others come in between.
        self.removed_at_once = (1_000, 8, 2)[seed % 3]

    def stamp(self) -> str:
        """Return what sorts behind all before: ids of checkpoints tell when they were made."""
        self._stamps += 1
        return f"{self._stamps:06}"

    def nonce(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def number(self) -> float:
        return self._random.random()

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def chance(self, p: float) -> bool:
        return self._random.random() < p

    def fault(self, p: float) -> bool:
        return self.chaos and self.chance(p)

    def one(self, of: Sequence[T]) -> T:
        return self._random.choice(of)

    def some(self, of: Sequence[T]) -> list[T]:
        """Draw one or more of them, in their order."""
        drawn = [each for each in of if self.chance(0.5)]
        return drawn or [self.one(of)]

    def ends(self, tid: str) -> str:
        """Draw how the questions of a task end that nobody answers: never, later, at once."""
        return random.Random(f"end {self._seed} {tid}").choice(("never", "later", "at once"))

    def records(self) -> tuple[bytes, ...]:
        """Draw what a caller writes along with a call, mostly nothing."""
        return tuple(f"written {self.nonce()}".encode() for _ in range(max(0, self.below(5) - 2)))
