"""Lists of messages, merged by id.

A message is an object with ``id``, ``type`` and ``content``. Short forms become one of
langchain-core's where that is installed, else one of ``distgraph.messages``: ``"text"`` is a user's
message, ``("assistant", "text")`` one of that role, and a dict has ``role`` and ``content``.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import uuid
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typing_extensions import TypedDict

from distgraph import _frame
from distgraph._elsewhere import missing_in
from distgraph._message import is_message, is_removal
from distgraph.channels.binop import appending, identifying
from distgraph.core.pushing import push

REMOVE_ALL_MESSAGES = "__remove_all__"
_REMOVAL_OF_UNKNOWN = "Attempting to delete a message with an ID that doesn't exist ('{}')"
_OPENAI = "langchain-openai"


def _identified(written: Any, seed: str) -> Any:
    """Return the messages of a write with ids; short forms of them get theirs when merged."""
    items = written if isinstance(written, list) else [written]
    if not any(map(_lacks_id, items)):
        return written
    made = [
        _named(one, _name(f"{seed}/{place}")) if _lacks_id(one) else one
        for place, one in enumerate(items)
    ]
    return made if isinstance(written, list) else made[0]


def _lacks_id(given: Any) -> bool:
    return is_message(given) and given.id is None


def _name(seed: str) -> str:
    """Return a text in the form of a uuid4, the same for the same seed."""
    return str(uuid.UUID(bytes=hashlib.blake2b(seed.encode(), digest_size=16).digest(), version=4))


@identifying(_identified)
@appending
def add_messages(
    left: Any = None,
    right: Any = None,
    *,
    format: Literal["langchain-openai"] | None = None,  # noqa: A002 LangGraph's name
) -> Any:
    """Return the messages of ``left`` followed by those of ``right``; a reducer.

    Both are a message or a list of them, or short forms. One of ``right`` whose id is in the list
    replaces that message in its place. A RemoveMessage, or one of the role "remove", deletes the
    message of its id, and with the id REMOVE_ALL_MESSAGES everything before it. A message without
    an id gets a uuid4 string; one that a node returned has it in streams, too. Neither argument is
    changed.

    ``format="langchain-openai"`` brings the content of all messages into the form that OpenAI
    takes, which needs langchain-core. Called with neither list, as in
    ``Annotated[list, add_messages(format="langchain-openai")]``, it returns the reducer.

    Raises ValueError for a removal of an unknown id, for one argument alone, for another
    ``format``, and for what is not a message; ImportError without langchain-core, of a format.
    """
    if format not in (None, _OPENAI):
        raise ValueError(f"Unrecognized format={format!r}. Expected one of '{_OPENAI}', None.")
    if left is None and right is None:
        return _formatting(format) if format else add_messages
    if left is None or right is None:
        given = "right" if left is None else "left"
        raise ValueError(
            "Must specify non-null arguments for both 'left' and 'right'. "
            f"Only received: '{given}'."
        )
    merged = _merged(_messages(left), _messages(right))
    return _of_openai(merged) if format else merged


def _formatting(form: Literal["langchain-openai"]) -> Any:
    return identifying(_identified)(partial(add_messages, format=form))


def push_message(message: Any, *, state_key: str | None = "messages") -> Any:
    """Show ``message`` in the stream mode ``messages`` at once, and write it when the node ends.

    Called in a node. ``message`` is one, or a short form; it has an id. ``state_key``: the key that
    it is written to, before what the node returns; None for none. Returns the message.

    Raises RuntimeError outside of a node, ValueError for a message without an id, and for what is
    no message.
    """
    from distgraph.messages.forms import message_of  # noqa: PLC0415 most push none

    frame: Any = _frame.current("push_message()")
    made = message_of(message)
    if not made.id:
        raise ValueError("Message ID is required")
    push(frame, made, state_key)
    return made


class MessagesState(TypedDict):
    """A state with one key, ``messages``, whose updates are merged by ``add_messages``."""

    messages: Annotated[list[Any], add_messages]


def _merged(left: list[Any], right: list[Any]) -> list[Any]:
    for index in reversed(range(len(right))):
        if is_removal(right[index]) and right[index].id == REMOVE_ALL_MESSAGES:
            left, right = [], right[index + 1 :]
            break
    merged = list(left)
    places = {message.id: place for place, message in enumerate(merged)}
    removed = set()
    for message in right:
        key = message.id
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
    return [message for message in merged if message.id not in removed] if removed else merged


def _of_openai(messages: list[Any]) -> list[Any]:
    from distgraph.messages.langchain import openai_form  # noqa: PLC0415 most want none

    return openai_form(messages)


def _messages(given: Any) -> list[Any]:
    """Return messages with ids; most of a long list, looked at for each write, have one."""
    from distgraph.messages.forms import finished, message_of  # noqa: PLC0415 most have none

    items, whole = given if isinstance(given, list) else [given], finished()
    return [one if type(one) in whole and one.id else _with_id(message_of(one)) for one in items]


def _with_id(message: Any) -> Any:
    """Return ``message``, or a copy of it with an id where it has none."""
    return message if message.id is not None else _named(message, str(uuid.uuid4()))


def _named(message: Any, name: str) -> Any:
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return dataclasses.replace(message, id=name)
    copied = copy.copy(message)
    copied.id = name
    return copied


if not TYPE_CHECKING:
    __getattr__ = missing_in(__name__)
