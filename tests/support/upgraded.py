"""A thread that a newer release stored, and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from checkpoint_redis.layout import HeaderField
from distgraph.checkpoint import formats
from distgraph.errors import NewerFormat
from tests.support.newer import RELEASE
from tests.support.thread_driver import Driver

NEWER = formats.FORMAT + 1


def upgrade(d: Driver) -> None:
    """Have the thread stored by a newer release."""
    d.client.hset(d.thread.header, HeaderField.form, NEWER)
    d.client.hset(d.thread.header, HeaderField.release, RELEASE)


def noted(d: Driver) -> tuple[int, str]:
    """Return the format of the thread and who wrote it."""
    header = d.ledger.any_header(d.thread)
    assert header is not None
    return header.format, header.release


def all_of(d: Driver) -> list[Any]:
    """Return everything that is stored of the thread, and what is due."""
    keys = sorted(d.client.keys(f"{d.thread.prefix}*"))
    return [*((key, d.client.dump(key)) for key in keys), d.due()]


def is_refused(d: Driver, call: Callable[[], Any]) -> bool:
    """Tell whether a call names the release that is needed, and changes nothing."""
    before = all_of(d)
    with suppress(NewerFormat):
        call()
        return False
    return all_of(d) == before
