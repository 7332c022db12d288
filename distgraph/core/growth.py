"""Lists that only grow: what a superstep wrote goes on from what was there, told by identity.

Whether what was there is also unchanged, only who stores it can tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from operator import is_
from typing import Any

from distgraph.core.model import UNSAVED, Checkpoint


def grown(
    growing: Collection[str], before: Checkpoint, values: Mapping[str, Any], written: Iterable[str]
) -> dict[str, str]:
    """Return the lists among ``written`` that are ``growing``, each with the version it extends.

    Those are the channels whose reducer appends.

    That is '' for one that begins anew; for one that a caller wrote to before the commit, it is
    what the caller's value extends.
    """
    return {
        name: _extended(before, name, values[name])
        for name in sorted(name for name in written if name in growing)
        if type(values.get(name)) is list
    }


def _extended(before: Checkpoint, name: str, new: list[Any]) -> str:
    old = before.values.get(name)
    if type(old) is not list or len(old) > len(new) or not all(map(is_, old, new)):
        return ""
    version = before.versions.get(name, "")
    return before.grown.get(name, "") if version == UNSAVED else version
