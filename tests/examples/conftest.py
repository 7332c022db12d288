"""What tests of the examples share: the modules, imported as they would be beside a Redis."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

import pytest

from tests.support.redis_server import RedisServer

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(
    redis_server: RedisServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Load]:
    """Give a function that imports a module anew, with the test's Redis as the default one."""
    monkeypatch.setenv("DISTGRAPH_REDIS", redis_server.url)
    monkeypatch.setenv("DISTGRAPH_NAMESPACE", namespace)
    loaded: list[str] = []

    def imported(name: str) -> ModuleType:
        sys.modules.pop(name, None)
        loaded.append(name)
        return import_module(name)

    yield imported
    for name in loaded:
        sys.modules.pop(name, None)
