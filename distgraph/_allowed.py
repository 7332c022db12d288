"""What an annotation allows: whether a value fits, and how a message names what would.

Of a list its items are looked at, of a dict not. A number may have a smallest one, by ``AtLeast``.
What an annotation cannot say in advance (a literal's values, the form of a schema) stays with who
takes the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from typing_extensions import is_protocol, is_typeddict

from distgraph._foreign import HERE

_TEXTS = (str, bytes, bytearray)


class AtLeast(NamedTuple):
    """The smallest whole number that an argument takes: ``Annotated[int, AtLeast(1)]``."""

    least: int


class CheckedLater:
    """Marks what the taker of a value checks and converts: ``Annotated[int, CheckedLater()]``."""


HowMany: TypeAlias = Annotated[int, AtLeast(0)]
OneOrMore: TypeAlias = Annotated[int, AtLeast(1)]


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """A kind of values: the test of it, and its name for one of them and for many.

    ``quick``: types of which every value fits, for which the test need not be asked. ``least`` is
    the smallest of whole numbers, where smaller ones have the right type and do not fit.
    """

    fits: Callable[[Any], bool]
    one: str
    many: str
    quick: frozenset[type] = field(default=frozenset())
    least: int | None = None

    def is_too_small(self, value: Any) -> bool:
        """Whether ``value`` is a whole number below the smallest."""
        return self.least is not None and _is_whole(value) and value < self.least


def allowed_by(hint: Any) -> Allowed | None:
    """Return what ``hint`` allows, a value of its own for each call; None when that is anything."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _either([allowed_by(each) for each in args])
    if origin is Annotated:
        return _noted(*args)
    if origin is Literal:
        return _either([allowed_by(cls) for cls in dict.fromkeys(map(type, args))])
    if is_typeddict(hint) or _is_a(origin or hint, Mapping):
        return Allowed(_is_mapping, "a dict", "dicts", frozenset({dict}))
    if (made := _PLAIN.get(origin or hint)) is not None:
        return Allowed(*made)
    return _instance(hint) if origin is None else _group(origin, args)


def _is_a(base: Any, wanted: type) -> bool:
    return isinstance(base, type) and issubclass(base, wanted)


def _noted(hint: Any, *notes: Any) -> Allowed | None:
    """Return what ``hint`` allows by what is noted to it."""
    if any(isinstance(note, CheckedLater) for note in notes):
        return None
    return _from(hint, [note.least for note in notes if isinstance(note, AtLeast)])


def _from(hint: Any, bounds: list[int]) -> Allowed | None:
    """Return what ``hint`` allows, of whole numbers those from the one bound on."""
    if not bounds:
        return allowed_by(hint)
    (least,) = bounds
    return Allowed(
        lambda value: _is_whole(value) and value >= least,
        f"a whole number of {least} or more",
        f"whole numbers of {least} or more",
        least=least,
    )


def _either(kinds: list[Allowed | None]) -> Allowed | None:
    """Return the union of ``kinds``; None is named last."""
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    known.sort(key=lambda kind: kind.one == "None")
    tests = tuple(kind.fits for kind in known)
    return Allowed(
        lambda value: any(fits(value) for fits in tests),
        " or ".join(kind.one for kind in known),
        " or ".join(kind.many for kind in known),
        frozenset().union(*(kind.quick for kind in known)),
        next((kind.least for kind in known if kind.least is not None), None),
    )


def _group(origin: Any, args: tuple[Any, ...]) -> Allowed | None:
    """Return what a tuple, list or other collection of ``args`` allows."""
    if origin is tuple and ... not in args:
        return _row([allowed_by(each) for each in args])
    return _several(allowed_by(args[0])) if _is_a(origin, Collection) else None


def _several(item: Allowed | None) -> Allowed:
    """Return lists of ``item``: any collection but a text or a dict, whose items are others."""

    def fits(value: Any) -> bool:
        if not isinstance(value, list | tuple) and not _is_collection(value):
            return False
        return item is None or all(map(item.fits, value))

    of = f" of {item.many}" if item else ""
    return Allowed(fits, f"a list{of}", f"lists{of}")


def _row(items: list[Allowed | None]) -> Allowed:
    """Return tuples, and lists, of exactly ``items``."""
    tests = [(place, item.fits) for place, item in enumerate(items) if item]

    def fits(value: Any) -> bool:
        if not isinstance(value, tuple | list) or len(value) != len(items):
            return False
        return all(test(value[place]) for place, test in tests)

    of = ", ".join(item.one if item else "anything" for item in items)
    return Allowed(fits, f"a tuple of {of}", f"tuples of {of}")


def _instance(base: Any) -> Allowed | None:
    """Return the instances of a class; None for what cannot be asked."""
    if not isinstance(base, type) or base in (Any, object, type) or not _is_known(base):
        return None
    # A private module is no place to import from.
    private = base.__module__.startswith("distgraph._")
    module = HERE.get(base.__name__) if private else base.__module__
    name = f"{module}.{base.__qualname__}" if module else base.__qualname__
    return Allowed(lambda value: isinstance(value, base), f"a {name}", name)


def _is_known(base: type) -> bool:
    """Whether ``isinstance`` can be asked: of some protocols alone."""
    return not is_protocol(base) or getattr(base, "_is_runtime_protocol", False)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_collection(value: Any) -> bool:
    return isinstance(value, Collection) and not isinstance(value, (*_TEXTS, Mapping))


def _is_iterable(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, _TEXTS)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    """Whether ``value`` is a number that can be compared: not nan."""
    return _is_whole(value) or (isinstance(value, float) and not math.isnan(value))


_Made = tuple[Callable[[Any], bool], str, str, frozenset[type]]


def _of_type(cls: type, one: str, many: str) -> _Made:
    return (lambda value: isinstance(value, cls)), one, many, frozenset({cls})


_ITERABLE: _Made = _is_iterable, "a list", "lists", frozenset()
_PLAIN: Mapping[Any, _Made] = {
    NoneType: _of_type(NoneType, "None", "None"),
    str: _of_type(str, "a string", "strings"),
    bytes: _of_type(bytes, "bytes", "bytes"),
    bool: _of_type(bool, "True or False", "True or False"),
    int: (_is_whole, "a whole number", "whole numbers", frozenset({int})),
    float: (_is_number, "a number", "numbers", frozenset({int})),
    Callable: (callable, "a function", "functions", frozenset()),
    Iterable: _ITERABLE,
    Iterator: _ITERABLE,
}
