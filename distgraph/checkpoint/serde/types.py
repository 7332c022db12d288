"""The reserved channels of pending writes that LangGraph has under these names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distgraph._elsewhere import missing_in

ERROR = "__error__"
SCHEDULED = "__scheduled__"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
TASKS = "__pregel_tasks"

if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
