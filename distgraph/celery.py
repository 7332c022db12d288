"""``workers`` by another name, for a project that has a package or module of that name itself.

``from distgraph.celery import CeleryBackend`` is ``from workers import CeleryBackend`` where that
is distgraph's. This module replaces itself by the package, of which a process has one copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._doors import opened

if TYPE_CHECKING:
    from workers import CeleryBackend, Run, Settings

    __all__ = ["CeleryBackend", "Run", "Settings"]

opened()
