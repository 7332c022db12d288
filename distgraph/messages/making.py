"""Our own messages out of dicts, by the keys that langchain-core goes by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from distgraph._brief import brief
from distgraph.messages.plain import CLASSES, BaseMessage, ToolMessage

ROLES: Mapping[str, str] = {
    "user": "human",
    "developer": "system",
    "assistant": "ai",
    **{cls.type: cls.type for cls in CLASSES},
}
"""The type of the messages of each role."""
_CLASS_OF: Mapping[str, type[BaseMessage]] = {cls.type: cls for cls in CLASSES}
NEEDED: Mapping[str, str] = {"function": "name", "remove": "id", "tool": "tool_call_id"}
"""The key that a message of each of these types does not come without."""
_DEVELOPER = {"__openai_role__": "developer"}
_TEXT = str, "a string"
_DICT = dict, "a dict"
_TAKES: Mapping[str, tuple[Any, str]] = {
    "content": (str | list, "a string or a list of blocks"),
    "id": _TEXT,
    "name": _TEXT,
    "tool_call_id": _TEXT,
    "tool_calls": (list, "a list of dicts"),
    "additional_kwargs": _DICT,
    "response_metadata": _DICT,
}


def plain(form: Mapping[Any, Any]) -> BaseMessage:
    """Return the message of a dict with a known ``role`` and ``content``.

    It has the key that its type needs. Keys that its class does not have are its
    ``additional_kwargs``. Raises ValueError for a value of a wrong type.
    """
    role = form["role"]
    cls = _CLASS_OF[ROLES[role]]
    own = {item.name for item in fields(cls) if item.init}
    made = {key: form[key] for key in form.keys() & own if form[key] is not None}
    made["content"] = _content(cls, form["content"])
    if isinstance(form.get("id"), int):
        made["id"] = str(form["id"])
    _check(role, made)
    more = {key: value for key, value in form.items() if key not in own and key != "role"}
    more |= _DEVELOPER if role == "developer" else {}
    made["additional_kwargs"] = {**more, **made.get("additional_kwargs", {})}
    if "tool_calls" in made:
        made["tool_calls"] = [_tool_call(role, call) for call in made["tool_calls"]]
    return cls(**made)


def _content(cls: type[BaseMessage], given: Any) -> Any:
    """Return the content of a message; what a tool returned may be anything."""
    if not given:
        return ""
    return str(given) if cls is ToolMessage and not isinstance(given, str | list) else given


def _check(role: str, made: Mapping[str, Any]) -> None:
    for key, (taken, told) in _TAKES.items():
        if key in made and not isinstance(made[key], taken):
            msg = f"'{key}' of a message of the role '{role}' is {told}, not {brief(made[key])}."
            raise ValueError(msg)


def _tool_call(role: str, call: Any) -> dict[str, Any]:
    """Return a call in our form, of one that may have that of OpenAI."""
    try:
        asked = call.get("function", call)
        args = asked["arguments" if asked is not call else "args"]
        read = json.loads(args, strict=False) if isinstance(args, str) else args
        return {"name": asked["name"], "args": read, "id": call["id"], "type": "tool_call"}
    except (AttributeError, KeyError, TypeError, ValueError):
        msg = (
            f"A tool call in a message of the role '{role}' is a dict of name, args and id, or has "
            f"a function with name and arguments, which are JSON; this is {brief(call)}."
        )
        raise ValueError(msg) from None
