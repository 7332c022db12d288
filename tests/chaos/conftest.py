"""Installations for tests that harm them."""

from __future__ import annotations

from tests.integration.conftest import leaving, log, new_redis, own_site, thread_id

__all__ = ["leaving", "log", "new_redis", "own_site", "thread_id"]
