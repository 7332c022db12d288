"""The packets of the simulation: task i of a superstep gets packet i of a bundle.

A bundle's name, which is drawn, tells how it is stored: as fields, in a key, in slices before.
"""

from __future__ import annotations

from dataclasses import dataclass

from checkpoint_redis.bundles import Bundle, is_apart
from checkpoint_redis.layout import PacketName


@dataclass(frozen=True, slots=True)
class Staged(Bundle):
    """A bundle that is stored in slices however small it is."""

    @property
    def is_staged(self) -> bool:
        return True


def bundle_name(nonce: str) -> str:
    return nonce if nonce[0] < "8" else f"{PacketName.apart}{nonce}"


def packet_of(tid: str) -> bytes:
    return f"packet of {tid}".encode()


def bundles_of(name: str, tids: tuple[str, ...]) -> tuple[Bundle, ...]:
    """Return what is sent to `tids`."""
    kind = Staged if is_apart(name) and name[-1] < "8" else Bundle
    return (kind(name, tuple(map(packet_of, tids))),) if tids else ()
