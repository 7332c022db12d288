"""Short forms of messages, a text, a pair or a dict, and the messages that they stand for."""

from __future__ import annotations

import reprlib
from dataclasses import fields
from typing import Any

from distgraph._brief import brief
from distgraph._message import REMOVE, is_message
from distgraph.messages import langchain
from distgraph.messages.making import NEEDED, ROLES, plain
from distgraph.messages.plain import CLASSES, BaseMessage

_OWN = frozenset(CLASSES)


def finished() -> frozenset[type]:
    """Return the classes whose messages need nothing but an id."""
    return langchain.whole() or _OWN


def message_of(given: Any) -> Any:
    """Return the message that ``given`` stands for, which may have no id yet.

    It is one of langchain-core's where that is installed, else one of ``distgraph.messages``. Other
    objects that are messages are taken as they are. Raises ValueError for what is none.
    """
    if isinstance(given, BaseMessage):
        return langchain.made(form_of(given)) if langchain.whole() else given
    if (form := _form(given)) is None:
        return langchain.unchunked(_object(given))
    return langchain.made(form) if langchain.whole() else plain(form)


def form_of(message: BaseMessage) -> dict[str, Any]:
    """Return one of our messages as a dict with a ``role``, without what is empty."""
    given = ((item.name, getattr(message, item.name)) for item in fields(message) if item.init)
    return {"role": message.type, "content": "", **{name: value for name, value in given if value}}


def _form(given: Any) -> dict[Any, Any] | None:
    """Return a short form as a dict with a known ``role`` and ``content``, None for no form."""
    match given:
        case str():
            return {"role": "user", "content": given}
        case (str() as role, content):
            return _checked({"role": role, "content": content}, given)
        case dict():
            return _checked(_with_role(given), given)
        case _:
            return None


def _with_role(given: dict[Any, Any]) -> dict[Any, Any]:
    """Return a dict whose role may be called its type, and whose removal may say nothing else."""
    form = dict(given)
    if "role" not in form and "type" in form:
        form["role"] = form.pop("type")
    return {"content": "", **form} if form.get("role") == REMOVE else form


def _checked(form: dict[Any, Any], given: Any) -> dict[Any, Any]:
    if not {"role", "content"} <= form.keys():
        raise ValueError(
            f"A message dict needs the keys 'role' and 'content'; this is a {brief(given)}."
        )
    role = form["role"]
    if not isinstance(role, str) or role not in ROLES:
        raise ValueError(
            f"A message has the unknown role {reprlib.repr(role)}; roles are "
            f"{', '.join(sorted(ROLES))}."
        )
    if (needed := NEEDED.get(ROLES[role])) and form.get(needed) is None:
        raise ValueError(f"A message of the role '{role}' needs the key '{needed}'.")
    return form


def _object(given: Any) -> Any:
    if not is_message(given):
        raise ValueError(
            f"{brief(given)} is not a message. Give a string, a (role, content) pair, a dict with "
            "'role' and 'content', or an object with id, type and content."
        )
    return given
