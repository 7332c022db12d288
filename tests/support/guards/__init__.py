"""The guards of the scripts, topic by topic: what each keeps, and the text that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.support.thread_driver import Driver


class Guard(NamedTuple):
    """`keeps` fails once `guard` of `script` is replaced by `without`."""

    keeps: Callable[[Driver], None]
    script: str
    guard: str
    without: str
