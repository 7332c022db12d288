"""A Send whose argument stays where it is stored.

Who only plans, reduces or shows needs no arguments, and does not read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Packet:
    """Stands for a Send to ``node``: ``bundle`` and ``number`` say which stored argument it has.

    A bundle is what one task sent, or what one start brought; a store gives it a name.
    """

    node: str
    bundle: str
    number: int

    @property
    def arg(self) -> NoReturn:
        """Raise RuntimeError: whoever wants the argument has to read it first."""
        msg = f"The packet sent to node '{self.node}' was not read: only its place is known here."
        raise RuntimeError(msg)
