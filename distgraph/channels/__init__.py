"""How writes to one state key merge."""

from __future__ import annotations

from distgraph.channels.any_value import AnyValue
from distgraph.channels.base import MISSING, BaseChannel
from distgraph.channels.binop import BinaryOperatorAggregate
from distgraph.channels.ephemeral_value import EphemeralValue
from distgraph.channels.last_value import LastValue
from distgraph.channels.topic import Topic

__all__ = [
    "MISSING",
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "EphemeralValue",
    "LastValue",
    "Topic",
]
