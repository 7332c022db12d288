"""What counts as a message: an object with ``id``, ``type`` and ``content``, of whatever class."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

REMOVE = "remove"
HEARD = frozenset({"messages", "tools"})
"""The stream modes that show what the models and tools tell which a node calls."""


class ToolTold(NamedTuple):
    """What a call of a tool tells, in the place of a message: a chunk of the mode ``tools``."""

    chunk: Mapping[str, Any]


def is_message(value: Any) -> bool:
    """Whether ``value`` is a message, whoever defined its class."""
    # A table may have columns of these names, which are no texts.
    is_typed = isinstance(getattr(value, "type", None), str)
    return is_typed and hasattr(value, "id") and hasattr(value, "content")


def is_message_dict(value: Any) -> bool:
    """Whether ``value`` says in a dict what ``add_messages`` would make a message of."""
    return isinstance(value, dict) and "role" in value and "content" in value


def message_id(message: Any) -> Any:
    """Return a message's id; None when it has none that can be compared, or is no message."""
    found = message.id if is_message(message) else None
    return found if isinstance(found, str | Hashable) else None


def is_removal(message: Any) -> bool:
    """Whether a message stands for the removal of the one that has its id."""
    return bool(message.type == REMOVE)
