"""Notices that Redis was emptied or replaced, by the id that a namespace gets when it is made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from checkpoint_redis import commands
from checkpoint_redis.ledger import Ledger, address

from ..shared.supersteps import nonce

log: Final = logging.getLogger(__name__)


class Installation:
    """Which installation this process has seen, so that another one in its place is told of."""

    def __init__(self, ledger: Callable[[], Ledger], namespace: str) -> None:
        self._ledger, self._namespace = ledger, namespace
        self._known = ""

    def look(self) -> None:
        """Compare the id that is stored now with the one that was seen before.

        Asked when a worker starts, and when the thread is gone that a message names or a task ran
        for.
        """
        ledger = self._ledger().once()
        found = ledger.call(commands.meta(self._namespace, nonce()))
        if self._known and found != self._known:
            log.error(
                "REDIS WAS EMPTIED OR REPLACED: namespace '%s' at %s was made anew (installation "
                "%s, before %s). The threads that were stored there are gone, unless this is the "
                "wrong server. Check its persistence and its address, and restore a backup or "
                "start the runs again.",
                self._namespace,
                address(ledger.client),
                found,
                self._known,
            )
        self._known = found
