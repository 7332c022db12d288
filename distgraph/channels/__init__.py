"""How writes to one state key merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
from distgraph.channels.any_value import AnyValue
from distgraph.channels.base import MISSING, BaseChannel
from distgraph.channels.binop import BinaryOperatorAggregate
from distgraph.channels.ephemeral_value import EphemeralValue
from distgraph.channels.last_value import LastValue, LastValueAfterFinish
from distgraph.channels.named_barrier_value import (
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from distgraph.channels.topic import Topic
from distgraph.channels.untracked_value import UntrackedValue

__all__ = [
    "MISSING",
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
]

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
