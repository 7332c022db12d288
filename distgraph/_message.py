"""What counts as a message: a dict with a role, or an object with ``id``, ``type``, ``content``."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

REMOVE = "remove"


def is_message(value: Any) -> bool:
    """Whether ``value`` is a message, whoever defined its class."""
    if isinstance(value, dict):
        return "role" in value and "content" in value
    # A table may have columns of these names, which are no texts.
    is_typed = isinstance(getattr(value, "type", None), str)
    return is_typed and hasattr(value, "id") and hasattr(value, "content")


def message_id(message: Any) -> Any:
    """Return a message's id; None when it has none that can be compared, or is no message."""
    if not is_message(message):
        return None
    found = message.get("id") if isinstance(message, dict) else message.id
    return found if isinstance(found, str | Hashable) else None


def is_removal(message: Any) -> bool:
    """Whether a message stands for the removal of the one that has its id."""
    kind = message["role"] if isinstance(message, dict) else message.type
    return isinstance(kind, str) and kind == REMOVE
