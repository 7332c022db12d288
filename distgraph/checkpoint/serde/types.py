"""The reserved channels of pending writes that LangGraph has under these names."""

from __future__ import annotations

ERROR = "__error__"
SCHEDULED = "__scheduled__"
INTERRUPT = "__interrupt__"
RESUME = "__resume__"
TASKS = "__pregel_tasks"
