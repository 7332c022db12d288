"""What of a tool's result a model is told."""

from __future__ import annotations

import json
from typing import Any

_MEDIA = {"audio", "document", "file", "image", "image_url", "video"}
_BLOCKS = {"custom_tool_call_output", "json", "search_result", "text", "tool_reference", *_MEDIA}
"""Types of the dicts that a message takes in a list, as they are."""


def content_of(returned: Any) -> Any:
    """Return what a tool has returned as the content of a message: a text, or a list of blocks.

    What is neither becomes JSON, or what str() makes of it.
    """
    if isinstance(returned, str) or _are_blocks(returned):
        return returned
    try:
        return json.dumps(returned, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(returned)


def _are_blocks(returned: Any) -> bool:
    return isinstance(returned, list) and all(
        isinstance(one, dict) and one.get("type") in _BLOCKS for one in returned
    )
