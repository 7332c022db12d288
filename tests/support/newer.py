"""A version of the library that writes some kinds of records in a newer form than this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checkpoint_redis import folding, source
from distgraph.checkpoint import formats, upgrades
from distgraph.checkpoint.formats import Kind
from distgraph.checkpoint.upgrades import Upgrade

RELEASE = "9.9"


@contextmanager
def newer(*kinds: Kind, steps: dict[tuple[Kind, int], Upgrade] | None = None) -> Iterator[None]:
    """Run the block as release 9.9, in which the form of `kinds` has changed once more."""
    number = formats.FORMAT + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "FORMAT", number)
        patch.setattr(formats, "WRITTEN", formats.WRITTEN | dict.fromkeys(kinds, number))
        patch.setattr(formats, "release", lambda: RELEASE)
        patch.setattr(upgrades, "STEPS", upgrades.STEPS | (steps or {}))
        forget_scripts()
        try:
            yield
        finally:
            patch.undo()
            forget_scripts()


def forget_scripts() -> None:
    """Have scripts put together anew."""
    for kept in (source.lua, source.sha, source._folded, folding.vocabulary):
        kept.cache_clear()
