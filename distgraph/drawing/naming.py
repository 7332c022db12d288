"""Names and labels that may hold anything, as ids and lines that a drawing can hold."""

from __future__ import annotations

import re
from typing import Any

from distgraph.drawing.parts import DrawnNode

LONGEST = 120
"""So many characters of a label are drawn."""
_SAFE = re.compile(r"(?!id_)[A-Za-z_][A-Za-z0-9_]*")
KEYWORDS = frozenset(
    (
        *("graph", "flowchart", "subgraph", "end", "direction", "v", "style", "default"),
        *("linkstyle", "interpolate", "classdef", "class", "click", "href", "call"),
        *("_self", "_blank", "_parent", "_top"),
    )
)
"""Words of Mermaid's language, which no id may be."""


def id_of(name: str) -> str:
    """Return an id of ASCII letters, digits and underscores; different names have different ids."""
    if _SAFE.fullmatch(name) and name.lower() not in KEYWORDS:
        return str(name)
    return "id_" + re.sub(r"[^A-Za-z0-9]", lambda found: f"_{ord(found[0]):x}_", name)


def shown(text: str) -> str:
    """Return ``text`` on one line that is not empty, without what cannot be printed, and cut."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) or "''"


def lines_of(node: DrawnNode) -> tuple[str, ...]:
    """Return what is written into a node: its name, and what of its metadata is short."""
    told = ((key, _short(value)) for key, value in node.metadata.items())
    lines = (shown(f"{key} = {value}") for key, value in told if value is not None)
    return (shown(node.name), *lines)


_SHORT = (str, int, float, bool)


def _short(value: Any) -> str | None:
    """Return what is short as text, also several of it; None for all else."""
    if isinstance(value, _SHORT):
        return str(value)
    if isinstance(value, list | tuple | set) and all(isinstance(each, _SHORT) for each in value):
        texts = map(str, value)
        return ", ".join(sorted(texts) if isinstance(value, set) else texts)
    return None
