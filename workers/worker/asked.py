"""The form of a message that asks for a job; of the rest nothing reaches Celery's request.

What Celery reads of headers, properties and bodies is taken over only where it has the form that a
publisher gives it: a time limit, a time to wait for or a callback has no business here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from celery.app.task import Context

from ..broker.publisher import LONGEST_NAME, headers
from ..shared import hints

_ID = re.compile(r"[!-~]{1,255}")
_LONGEST = 2**63
_DEEPEST = 3
"""Levels that headers of others may have: a tracer keeps its own in one of them."""
_BUILT_IN = frozenset({"lang", "task", "argsrepr", "kwargsrepr", "compression", "meth"})
_READ_BY_CELERY = frozenset((*dir(Context), *dir(type))) - {"headers"} | _BUILT_IN


@dataclass(frozen=True, slots=True)
class JobMessage:
    """What a message asks for, and what Celery is to know of it."""

    headers: Mapping[str, Any]
    properties: Mapping[str, Any]


def _text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def number(value: Any) -> bool:
    """Whether ``value`` is None or a number that a clock can take."""
    return value is None or (isinstance(value, int | float) and -_LONGEST < value < _LONGEST)


def _scalar(value: Any) -> bool:
    return _text(value) or number(value)


def _no_limits(value: Any) -> bool:
    return value in (None, [None, None], (None, None))


_HEADERS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("lang", "root_id", "parent_id", "group", "shadow", "origin"), _text),
    **dict.fromkeys(("argsrepr", "kwargsrepr", "meth"), _text),
    **dict.fromkeys(("retries", "group_index", "replaced_task_nesting", "ignore_result"), number),
    **dict.fromkeys(("eta", "expires", "compression"), lambda value: value is None),
    "timelimit": _no_limits,
}
_PROPERTIES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("correlation_id", "reply_to", "body_encoding"), _text),
    **dict.fromkeys(("priority", "delivery_mode", "delivery_tag"), _scalar),
}


def read(message: Any, task: str) -> JobMessage | None:
    """Return what ``message`` asks of the task ``task``, None when it is not in the form.

    May raise whatever a codec raises for the body.
    """
    if not (_fit(message.properties, _PROPERTIES) and _is_json(message)):
        return None
    if not (isinstance(message.delivery_info, dict) and _is_for(message.headers, task)):
        return None
    if not all(map(_scalar, message.delivery_info.values())):
        return None
    hint = hints.read_body(message.body) or _decoded(message.payload)
    return None if hint is None else _asked(message, task, hint)


def _decoded(payload: Any) -> hints.Hint | None:
    match payload:
        case [list(args), {**kwargs}, embed] if not kwargs and _is_last(embed):
            return hints.read(args)
    return None


def _asked(message: Any, task: str, hint: hints.Hint) -> JobMessage | None:
    ours = headers(task, message.headers["id"], hint.x, hint.tids, _name(message.headers))
    if message.headers != ours:  # a tracer's are among them, or somebody else sent it
        if not _fit(message.headers, _HEADERS):
            return None
        ours = {**_of_others(message.headers), **ours}
    known = {name: message.properties[name] for name in _PROPERTIES if name in message.properties}
    return JobMessage(ours, {**known, "delivery_info": message.delivery_info})


def _name(given: Mapping[str, Any]) -> str | None:
    """Return what the job is called in the log and by who watches, if that is a name."""
    name = given.get("shadow")
    return (
        name if isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable() else None
    )


def _fit(given: Any, forms: Mapping[str, Callable[[Any], bool]]) -> bool:
    """Whether all that is given has its form; what is missing has."""
    if not isinstance(given, dict):
        return False
    return all(forms[name](value) for name, value in given.items() if name in forms)


def _is_json(message: Any) -> bool:
    kind, encoding = message.content_type, message.content_encoding
    return kind == "application/json" and str(encoding).lower() == "utf-8"


def _is_for(given: Any, task: str) -> bool:
    if not isinstance(given, dict):
        return False
    job = given.get("id")
    return given.get("task") == task and isinstance(job, str) and bool(_ID.fullmatch(job))


def _is_last(embed: Any) -> bool:
    """Whether nothing follows the job."""
    if embed is None:
        return True
    return (
        isinstance(embed, dict)
        and set(embed) <= set(hints.NOTHING_FOLLOWS)
        and not any(embed.values())
    )


def _of_others(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers that Celery itself does not read: a tracer's, for example."""
    return {
        name: value
        for name, value in given.items()
        if name not in _READ_BY_CELERY and _is_plain(value, _DEEPEST)
    }


def _is_plain(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return _scalar(value)
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_plain(each, levels - 1) for each in inner)
