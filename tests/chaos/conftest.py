"""Installations for tests that harm them."""

from __future__ import annotations

from tests.integration.conftest import log, new_redis, own_site, thread_id

__all__ = ["log", "new_redis", "own_site", "thread_id"]
