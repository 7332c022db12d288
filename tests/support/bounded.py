"""Scripts with smaller limits: what is too much for one of them begins with less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checkpoint_redis.layout import Limit
from tests.support.newer import forget_scripts


@contextmanager
def bounded(**limits: int) -> Iterator[None]:
    """Run the block with other numbers in the place of some of ``Limit``."""
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in limits.items():
            patch.setattr(Limit, name, limit)
        forget_scripts()
        try:
            yield
        finally:
            patch.undo()
            forget_scripts()
