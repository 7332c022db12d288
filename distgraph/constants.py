"""What LangGraph has names for: the two ends of a graph, tags, and a part of configs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in
from distgraph.core.model import END, START, TAG_HIDDEN

__all__ = ["CONF", "END", "START", "TAG_HIDDEN", "TAG_NOSTREAM"]
CONF = "configurable"
"""Where the thread of a config stands, and what else a program puts there."""
TAG_NOSTREAM = "nostream"
"""The tag of a model whose messages streams do not show."""

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
