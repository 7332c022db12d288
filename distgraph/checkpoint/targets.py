"""What runs next as it stands in a record: names, Sends as they are, packets as ranges.

A range is [node, bundle, number of the first, how many]: a fan-out of any width takes a few bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from distgraph.checkpoint.upgrades import corrupt
from distgraph.core.model import Target
from distgraph.core.packets import Packet
from distgraph.types import Send

_COUNT = 3
MOST = 10**6
"""A range of more packets is damage, and not to be written out."""


def pack_targets(targets: Iterable[Target]) -> list[Any]:
    """Return the items of a record."""
    packed: list[Any] = []
    for target in targets:
        if not isinstance(target, Packet):
            packed.append(target)
        elif packed and _goes_on(packed[-1], target):
            packed[-1][_COUNT] += 1
        else:
            packed.append([target.node, target.bundle, target.number, 1])
    return packed


def _goes_on(item: Any, packet: Packet) -> bool:
    """Whether ``packet`` is the next one of the range ``item``."""
    match item:
        case [node, bundle, first, count]:
            return (node, bundle, first + count) == (packet.node, packet.bundle, packet.number)
        case _:
            return False


def unpack_targets(items: list[Any]) -> tuple[Target, ...]:
    """Return what the items of a record name; CorruptRecord when one of them is none of these."""
    if all(isinstance(item, str | Send) for item in items):
        return tuple(items)
    return tuple(target for item in items for target in _targets(item))


def _targets(item: Any) -> Iterable[Target]:
    match item:
        case str() | Send():
            return (item,)
        case [str(node), str(bundle), int(first), int(count)] if 0 < count <= MOST and first >= 0:
            return (Packet(node, bundle, first + n) for n in range(count))
        case _:
            raise corrupt("target", item)


def sends_of(targets: Iterable[Target]) -> tuple[Send, ...]:
    """Return the Sends among ``targets``, whose arguments are at hand."""
    return tuple(target for target in targets if isinstance(target, Send))


def parted(targets: Iterable[Target], bundle: str) -> tuple[Target, ...]:
    """Return ``targets`` with the packets of ``bundle`` in place of their Sends."""
    numbers = itertools.count()
    return tuple(
        Packet(target.node, bundle, next(numbers)) if isinstance(target, Send) else target
        for target in targets
    )


def packets_of(targets: Iterable[Target]) -> tuple[Packet, ...]:
    """Return the packets among ``targets``."""
    return tuple(target for target in targets if isinstance(target, Packet))


def filled(targets: Iterable[Target], load: Callable[[Packet], Any]) -> tuple[Target, ...]:
    """Return ``targets`` with the Sends of their packets."""
    return tuple(sent_by(t.node, load(t)) if isinstance(t, Packet) else t for t in targets)


def content(send: Send) -> Any:
    """Return what is stored apart of a Send: its argument, or all of it where it has a timeout.

    So is a Send whose argument is one, that none is taken for the other.
    """
    return send if send.timeout is not None or isinstance(send.arg, Send) else send.arg


def sent_by(node: str, stored: Any) -> Send:
    """Return the Send to ``node`` of which ``stored`` is the content."""
    return stored if isinstance(stored, Send) else Send(node, stored)
