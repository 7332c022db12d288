"""Lists of messages, merged by id.

A message is a dict ``{"role": ..., "content": ..., "id": ...}`` or any object with ``id``, ``type``
and ``content``, such as langchain-core's; each is kept in the form in which it was given. Short
forms become dicts: ``"text"`` is a user's message, ``("assistant", "text")`` one of that role.
"""

from __future__ import annotations

import copy
import dataclasses
import reprlib
import sys
import uuid
from typing import Annotated, Any, TypedDict

from distgraph._brief import brief
from distgraph._message import REMOVE, is_message, is_removal, message_id
from distgraph.channels.binop import appending

REMOVE_ALL_MESSAGES = "__remove_all__"
_ROLES = frozenset(
    ("user", "human", "assistant", "ai", "system", "developer", "tool", "function", REMOVE)
)
_REMOVAL_OF_UNKNOWN = "Attempting to delete a message with an ID that doesn't exist ('{}')"


@appending
def add_messages(left: Any = None, right: Any = None, *, format: None = None) -> Any:  # noqa: A002 LangGraph's name
    """Return the messages of ``left`` followed by those of ``right``; a reducer.

    Both are a message or a list of them. One of ``right`` whose id is in the list replaces that
    message in its place. One of the role or type "remove" deletes the message of its id, and with
    the id REMOVE_ALL_MESSAGES everything before it. A message without an id gets a uuid4 string.
    Neither argument is changed.

    Called with neither, as in ``Annotated[list, add_messages()]``, returns the reducer. Raises
    ValueError for a removal of an unknown id, for one argument alone, for another ``format`` than
    None (messages are never converted), and for what is not a message.
    """
    if format is not None:
        raise ValueError(
            f"format={format!r} is not supported: messages keep the form in which they are given. "
            "Convert them in the node that needs another one."
        )
    if left is None and right is None:
        return add_messages
    if left is None or right is None:
        given = "right" if left is None else "left"
        raise ValueError(
            "Must specify non-null arguments for both 'left' and 'right'. "
            f"Only received: '{given}'."
        )
    return _merged(_messages(left), _messages(right))


class MessagesState(TypedDict):
    """A state with one key, ``messages``, whose updates are merged by ``add_messages``."""

    messages: Annotated[list[Any], add_messages]


def _merged(left: list[Any], right: list[Any]) -> list[Any]:
    for index in reversed(range(len(right))):
        if is_removal(right[index]) and message_id(right[index]) == REMOVE_ALL_MESSAGES:
            left, right = [], right[index + 1 :]
            break
    merged = list(left)
    places = {_id(message): place for place, message in enumerate(merged)}
    removed = set()
    for message in right:
        key = _id(message)
        if is_removal(message):
            if key not in places:
                raise ValueError(_REMOVAL_OF_UNKNOWN.format(key))
            removed.add(key)
        elif key in places:
            merged[places[key]] = message
            removed.discard(key)
        else:
            places[key] = len(merged)
            merged.append(message)
    return [message for message in merged if _id(message) not in removed] if removed else merged


def _id(message: Any) -> Any:
    return message["id"] if isinstance(message, dict) else message.id


def _messages(given: Any) -> list[Any]:
    items = given if isinstance(given, list) else [given]
    return [one if _is_whole(one) else _message(one) for one in items]


def _is_whole(given: Any) -> bool:
    """Whether nothing is to be done to a dict: most of a long list is looked at for each write."""
    if type(given) is not dict or "content" not in given:
        return False
    key, role = given.get("id"), given.get("role")
    return type(key) is str and type(role) is str and role in _ROLES


def _message(given: Any) -> Any:
    """Return the message that ``given`` stands for, with an id."""
    match given:
        case str():
            return {"role": "user", "content": given, "id": _new_id()}
        case (str() as role, content):
            return {"role": _known(role), "content": content, "id": _new_id()}
        case dict():
            return _from_dict(given)
        case _:
            return _from_object(given)


def _from_object(given: Any) -> Any:
    if not is_message(given):
        raise ValueError(
            f"{brief(given)} is not a message. Give a string, a (role, content) pair, a dict with "
            "'role' and 'content', or an object with id, type and content."
        )
    whole = _whole(given)
    return whole if message_id(whole) is not None else _with_id(whole)


def _from_dict(given: dict[Any, Any]) -> dict[Any, Any]:
    if given.get("role") == REMOVE:
        given = {"content": "", **given}
    if not is_message(given):
        raise ValueError(
            f"A message dict needs the keys 'role' and 'content'; this is a {brief(given)}."
        )
    _known(given["role"])
    return given if message_id(given) is not None else {**given, "id": _new_id()}


def _known(role: Any) -> Any:
    if not isinstance(role, str) or role not in _ROLES:
        raise ValueError(
            f"A message has the unknown role {reprlib.repr(role)}; roles are "
            f"{', '.join(sorted(_ROLES))}."
        )
    return role


def _whole(message: Any) -> Any:
    """Return the message that a finished chunk of langchain-core's stands for, else ``message``."""
    module = sys.modules.get("langchain_core.messages")
    if module is None or not isinstance(message, module.BaseMessageChunk):
        return message
    return module.message_chunk_to_message(message)


def _with_id(message: Any) -> Any:
    """Return a copy of a message object that has an id."""
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return dataclasses.replace(message, id=_new_id())
    copied = copy.copy(message)
    copied.id = _new_id()
    return copied


def _new_id() -> str:
    return str(uuid.uuid4())
