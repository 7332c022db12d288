"""The one module that knows langchain-core, which need not be there.

It is imported when the first message is made or read, by its own name and never by one from data.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from distgraph._brief import brief

PACKAGE = "langchain_core"
MODULE = f"{PACKAGE}.messages"
NEEDED = "langchain-core is needed for that, and is not installed: pip install distgraph[langchain]"
# The modules in which it defines its classes. A chunk is a part of the message of that name.
_HOMES = {
    "ai": "AIMessage",
    "base": "BaseMessage",
    "chat": "ChatMessage",
    "function": "FunctionMessage",
    "human": "HumanMessage",
    "system": "SystemMessage",
    "tool": "ToolMessage",
}
_WHOLE = {
    **{f"{MODULE}.{home}:{name}": name for home, name in _HOMES.items()},
    f"{MODULE}.modifier:RemoveMessage": "RemoveMessage",
}
_NAMES = {
    **_WHOLE,
    **{f"{MODULE}.{home}:{name}Chunk": f"{name}Chunk" for home, name in _HOMES.items()},
}


def is_ref(ref: Any) -> bool:
    """Whether that is the name in stored data of a class of its messages."""
    return isinstance(ref, str) and ref in _NAMES


def class_named(ref: str) -> type | None:
    """Return the class of messages that has the name ``ref`` in stored data, where it is there."""
    found: type | None = getattr(_module(), _NAMES[ref], None)
    return found


@cache
def whole() -> frozenset[type]:
    """Return its classes of whole messages; none without it."""
    found = (getattr(_module(), name, None) for name in _WHOLE.values())
    return frozenset(cls for cls in found if cls is not None)


@cache
def _module() -> Any:
    """Return its module of messages, None where it is not installed."""
    try:
        from langchain_core import messages  # noqa: PLC0415 it takes a while, and may be missing
    except ModuleNotFoundError as error:
        _check_absent(error)
        return None
    return messages


def handler_class() -> Any:
    """Return its base class of callback handlers; without it a plain one of the same defaults."""
    try:
        from langchain_core.callbacks import BaseCallbackHandler  # noqa: PLC0415 as above
    except ModuleNotFoundError as error:
        _check_absent(error)
        return _PlainHandler
    return BaseCallbackHandler


class _PlainHandler:
    raise_error = False
    run_inline = False


def _check_absent(error: ModuleNotFoundError) -> None:
    """Raise ``error`` again when it is something else that is missing."""
    if (error.name or "").partition(".")[0] != PACKAGE:
        raise error


def unchunked(message: Any) -> Any:
    """Return the message that one of its chunks stands for, any other ``message`` as it is."""
    module = _module()
    if module is None or not isinstance(message, module.BaseMessageChunk):
        return message
    return module.message_chunk_to_message(message)


def made(form: Mapping[str, Any]) -> Any:
    """Return its message of a dict with a ``role`` and ``content``; ValueError for a wrong one."""
    try:
        (message,) = _module().convert_to_messages([dict(form)])
    except Exception as error:  # noqa: BLE001 whatever its validators raise
        msg = f"langchain-core makes no message of this {brief(form)}: {_told(error)}"
        raise ValueError(msg) from None  # whose text may be all of the message
    return message


def _told(error: Exception) -> str:
    """Return what is wrong, by the names of fields and never by what is in them."""
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if not hasattr(error, "errors"):
        return type(error).__name__
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)


def openai_form(messages: list[Any]) -> list[Any]:
    """Return ``messages`` with their content in the form that OpenAI takes; ids stay.

    Raises ImportError without langchain-core.
    """
    module = _module()
    if module is None:
        raise ImportError(NEEDED)
    formed = module.convert_to_openai_messages(messages, include_id=True)
    found: list[Any] = module.convert_to_messages(formed)
    return found


def base() -> Any:
    """Return the class that all its messages are of, None without it."""
    return getattr(_module(), "BaseMessage", None)
