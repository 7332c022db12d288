"""A process in which langchain-core is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from distgraph.messages import langchain


@contextmanager
def without_langchain(absent: bool = True) -> Iterator[None]:
    """Have the import of langchain-core fail, unless it is not to be `absent`."""
    hidden: dict[str, Any] = {langchain.PACKAGE: None} if absent else {}
    _forget()
    try:
        with mock.patch.dict(sys.modules, hidden):
            yield
    finally:
        _forget()


def _forget() -> None:
    langchain._module.cache_clear()
    langchain.whole.cache_clear()
