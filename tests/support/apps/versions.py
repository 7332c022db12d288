"""One application in two versions of the library: RELEASE in the environment makes it a newer one.

The newer version stores results and checkpoints as tables in place of lists, and reads both.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from distgraph.checkpoint import formats, upgrades
from distgraph.checkpoint.formats import Kind

NUMBER = 2
TABLES = (Kind.result, Kind.checkpoint)
RELEASE = os.environ.get("RELEASE", "")


def become_newer(release: str) -> None:
    """Make this process one of the newer version; the records must not be imported yet."""
    fields_of, numbered = upgrades.fields_of, upgrades.numbered

    def numbered_now(kind: Kind, *fields: Any) -> list[Any]:
        return numbered(kind, *(into_table(list(fields)) if kind in TABLES else fields))

    def fields_now(kind: Kind, packed: Any) -> Any:
        found = fields_of(kind, packed)
        return found[0]["fields"] if kind in TABLES else found

    formats.FORMAT = NUMBER
    formats.WRITTEN.update(dict.fromkeys(TABLES, NUMBER))
    formats.release = lambda: release  # type: ignore[assignment]
    upgrades.STEPS.update({(kind, NUMBER): into_table for kind in TABLES})
    upgrades.numbered, upgrades.fields_of = numbered_now, fields_now


def into_table(fields: list[Any]) -> list[Any]:
    """Convert a record of the first form."""
    return [{"fields": fields}]


if RELEASE:
    become_newer(RELEASE)
if "DISTGRAPH_NAMESPACE" in os.environ:
    app = import_module("tests.support.apps.versioned").app
