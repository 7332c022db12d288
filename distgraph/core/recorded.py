"""The record of a failure, whatever the class of its exception does when it is asked or noted on.

A class of a user's may refuse anything: to say its text, to take a note, to tell its arguments. It
must not look as if that had ended a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from distgraph._exceptions import Parts, annotate, taken_apart
from distgraph._loaded import module_of
from distgraph._validation import KIND, lines_of
from distgraph.core.model import Errored, Task, shown_as
from distgraph.core.trace import trace

T = TypeVar("T")
LONGEST_TEXT = 32_768
DEEPEST, MOST = 5, 1_000
"""So many groups in each other, and exceptions in one group, are recorded as exceptions."""


def errored(raised: BaseException, *notes: str) -> Errored:
    """Return the record of ``raised``; ``notes`` are put on it too, if it takes them."""
    for note in notes:
        annotate(raised, note)
    kept = _notes(raised)
    shown = _asked(lambda: trace(raised), "")
    return _recorded(
        raised,
        traceback=_shortened(shown or f"{kind_of(raised)}: {said(raised)}"),
        notes=(*kept, *(note for note in notes if note not in kept)),
        exception=raised,
    )


def _recorded(raised: BaseException, depth: int = 0, **more: Any) -> Errored:
    """Return the record of ``raised``, which is in so many groups, and has ``more`` than it."""
    kind, message = kind_of(raised), said(raised)
    shown = _shortened(_asked(lambda: repr(raised), f"<{kind}>"))
    parts = _asked(lambda: taken_apart(raised), Parts())
    inner = parts.inner[:MOST] if depth < DEEPEST else ()
    return Errored(
        kind=kind,
        message=message,
        args=_asked(lambda: lines_of(raised), ()) if kind == KIND else parts.args,
        shown="" if shown == shown_as(kind, message) else shown,
        attributes=parts.attributes,
        inner=tuple(_recorded(each, depth + 1, notes=_notes(each)) for each in inner),
        **more,
    )


def during(task: Task) -> str:
    """Return the note by which a failure names its node."""
    return f"During task with name '{task.node}' and id '{task.id}'"


def kind_of(raised: BaseException) -> str:
    """Return by which name the class of an exception is stored."""
    cls = type(raised)
    return _asked(lambda: f"{module_of(cls)}.{cls.__qualname__}", "builtins.BaseException")


def said(raised: BaseException) -> str:
    """Return an exception's text, whatever its class does when it is asked."""
    try:
        return _shortened(str(raised))
    except BaseException as exc:  # noqa: BLE001 any that a class of a user's raises
        return f"<{type(raised).__name__} whose text raised {type(exc).__name__}>"


def _notes(raised: BaseException) -> tuple[str, ...]:
    """Return the notes that are on an exception."""
    found: tuple[object, ...] = _asked(lambda: tuple(getattr(raised, "__notes__", ())), ())
    return tuple(note for note in found if isinstance(note, str))


def _asked(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except BaseException:  # noqa: BLE001 any that a class of a user's raises
        return otherwise


def _shortened(text: str) -> str:
    """Return ``text`` without its middle when it is too long to be stored with a failure."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    return f"{text[:half]} ... {len(text) - 2 * half} characters ... {text[-half:]}"
