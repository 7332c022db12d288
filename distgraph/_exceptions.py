"""An exception taken apart into what may be stored of it, and made again of that.

The rule to keep: neither runs code of its class. What it holds is read from its dict, its slots and
what Python's own classes have in C; an instance is made by the ``__new__`` and ``__init__`` of the
class of Python's own that it derives from.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MemberDescriptorType
from typing import Any, NamedTuple

_BASE = vars(type)["__base__"].__get__
_BASES = vars(type)["__mro__"].__get__
_MEMBERS = vars(type)["__dict__"].__get__
_HELD = vars(BaseException)["__dict__"].__get__
_OWN = {
    id(each): each
    for each in vars(builtins).values()
    if isinstance(each, type) and issubclass(each, BaseException)
}
"""Python's own classes of exceptions, by identity: a class of a user's is asked for no hash."""
_COMMON = frozenset(vars(BaseException))
_NAMED: Mapping[type, tuple[str, ...]] = {
    AttributeError: ("name",),  # and ``obj``, which may be anything, a state too
    ImportError: ("name", "path"),
    NameError: ("name",),
}
"""What Python's own classes keep beside their arguments."""


class Parts(NamedTuple):
    """What an exception holds; ``inner`` are those in a group."""

    args: tuple[Any, ...] = ()
    attributes: Mapping[str, Any] = {}
    inner: tuple[BaseException, ...] = ()


def taken_apart(raised: BaseException) -> Parts:
    """Return what ``raised`` holds, without its notes."""
    own = _own(type(raised))
    held = [*_HELD(raised).items(), *_in_slots(raised), *_named(raised)]
    attributes = {name: value for name, value in held if _is_plain(name)}
    if issubclass(own, BaseExceptionGroup):
        told = vars(BaseExceptionGroup)
        inner = told["exceptions"].__get__(raised)
        return Parts((told["message"].__get__(raised),), attributes, inner)
    # Of an OSError the files are told too, which are not among its ``args``.
    return Parts(tuple(_first(type(raised)).__reduce__(raised)[1]), attributes)


def put_together(
    cls: type[Exception],
    args: Sequence[Any],
    attributes: Mapping[str, Any],
    inner: Sequence[Exception] = (),
) -> Exception:
    """Return an instance of ``cls`` that holds all this.

    Raises whatever Python's own class does when it cannot be made of ``args``.
    """
    own: Any = _own(cls)
    given = (*args, list(inner)) if issubclass(own, BaseExceptionGroup) else tuple(args)
    _refuse_unsound(own, given)
    made: Exception = own.__new__(cls, *given)
    _first(cls).__init__(made, *given)
    for name, value in attributes.items():
        if _is_plain(name):
            _put(made, name, value)
    return made


def put_notes(made: Exception, notes: Iterable[str]) -> None:
    """Put notes on an exception that was made here, whatever its class says to that."""
    _HELD(made)["__notes__"] = list(notes)


def annotate(raised: BaseException, note: str) -> None:
    """Put a note on an exception of a user's, if it takes one."""
    with suppress(BaseException):
        raised.add_note(note)


def _own(cls: type) -> type[BaseException]:
    """Return the class of Python's own by which instances of ``cls`` are laid out."""
    while (found := _OWN.get(id(cls))) is None:
        cls = _BASE(cls)
    return found


def _first(cls: type) -> Any:
    """Return the class of Python's own whose methods instances of ``cls`` have."""
    return next(each for each in _BASES(cls) if id(each) in _OWN)


def _is_plain(name: object) -> bool:
    return type(name) is str and not name.startswith("__") and name not in _COMMON


def _in_slots(raised: BaseException) -> Iterator[tuple[str, Any]]:
    for cls in _BASES(type(raised)):
        for name, member in _slots(cls):
            with suppress(AttributeError):  # nothing was put there
                yield name, member.__get__(raised)


def _slots(cls: type) -> Iterator[tuple[str, Any]]:
    members = _MEMBERS(cls)
    if "__slots__" in members:
        for name, member in members.items():
            if type(member) is MemberDescriptorType:
                yield name, member


def _named(raised: BaseException) -> Iterator[tuple[str, Any]]:
    for cls, names in _NAMED.items():
        if issubclass(type(raised), cls):
            found = ((name, vars(cls)[name].__get__(raised)) for name in names)
            yield from ((name, value) for name, value in found if value is not None)


def _put(made: Exception, name: str, value: Any) -> None:
    for cls in _BASES(type(made)):
        if name in _NAMED.get(cls, ()) if id(cls) in _OWN else name in dict(_slots(cls)):
            _MEMBERS(cls)[name].__set__(made, value)
            return
    _HELD(made)[name] = value


def _refuse_unsound(own: type, args: tuple[Any, ...]) -> None:
    """Raise for what Python's own class takes and then reads memory by: a place before a text."""
    if issubclass(own, UnicodeDecodeError | UnicodeEncodeError | UnicodeTranslateError):
        _, start, _, _ = args[-4:]
        if start < 0:
            msg = f"{own.__name__} at {start}"
            raise ValueError(msg)
