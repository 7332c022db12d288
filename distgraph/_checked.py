"""Arguments are checked where a caller's code ends: against the annotations of what it calls.

One rule for everything public: what has the wrong type (TypeError), or is a number below the
smallest that makes sense (ValueError), is refused before anything happens, with the names of the
call and of the argument, what it takes and what came. ``checked`` does so for all
public methods of a class, so that none can be forgotten.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from types import FunctionType, MethodType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from typing_extensions import Unpack

from distgraph._allowed import Allowed, allowed_by
from distgraph._arguments import shortly
from distgraph._brief import brief
from distgraph._foreign import foreign

T = TypeVar("T", bound=type)
_EXAMPLES = {"config": " such as {'configurable': {'thread_id': '...'}}"}
"""What helps to write an argument of that name."""
_BARE: dict[Any, Callable[..., Any]] = {}
"""Methods that check their arguments, and what they are without that."""


def checked(cls: T) -> T:
    """Have the public methods of ``cls``, and how it is made, check the types of arguments."""
    for name, member in tuple(vars(cls).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(member, classmethod):
            setattr(cls, name, classmethod(_checking(member.__func__)))
        elif inspect.isfunction(member):
            setattr(cls, name, _checking(member))
    return cls


def unchecked(owner: Any, name: str) -> Callable[..., Any]:
    """Return a method of ``owner`` without its check, for those whose arguments mypy checks."""
    method = getattr(owner, name)
    bare = _BARE.get(getattr(method, "__func__", None))
    return method if bare is None else MethodType(bare, owner)


def _checking(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call`` with a check of its arguments."""
    checking = _with_check(call, Signature(call))
    _BARE[checking] = call
    return checking


def _with_check(call: Callable[..., Any], signature: Signature) -> Callable[..., Any]:

    if inspect.iscoroutinefunction(call):

        @wraps(call)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            signature.check(args, kwargs)
            return await call(*args, **kwargs)

        return acall

    @wraps(call)
    def blocking(*args: Any, **kwargs: Any) -> Any:
        signature.check(args, kwargs)
        return call(*args, **kwargs)

    return blocking


class Signature:
    """What a method takes, read from its annotations when it is called first."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._name, self._function = call.__name__, inspect.unwrap(call)

    def check(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise the error of the first argument that is not allowed; of too many, Python tells.

        That is a TypeError, or a ValueError for a number that is too small.
        """
        for allowed, value in zip(self._order, args, strict=False):
            if type(value) not in allowed.quick and not allowed.fits(value):
                raise self._refusal(args, allowed, value)
        if kwargs:
            self._check_named(args, kwargs)

    def _check_named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        for name, value in kwargs.items():
            allowed = self.named.get(name)
            if allowed is not None and not allowed.fits(value):
                raise self._refusal(args, allowed, value)

    def _refusal(self, args: tuple[Any, ...], allowed: Allowed, value: Any) -> Exception:
        owner = args[0] if isinstance(args[0], type) else type(args[0])
        call = owner.__name__ if self._name == "__init__" else f"{owner.__name__}.{self._name}"
        name = next(name for name, known in self.named.items() if known is allowed)
        wanted = allowed.one.replace("a dict", f"a dict{_EXAMPLES.get(name, '')}", 1)
        said = f"{call}(): {name} must be {wanted}, not {_said_of(value)}. {foreign(value)}"
        return (ValueError if allowed.is_too_small(value) else TypeError)(said.rstrip())

    @cached_property
    def named(self) -> Mapping[str, Allowed]:
        """What each argument that is not free is allowed to be."""
        return {name: found for name, hint in self.hints() if (found := allowed_by(hint))}

    @cached_property
    def _order(self) -> tuple[Allowed, ...]:
        """What stands where, whose method it is first."""
        parameters = inspect.signature(self._function).parameters.values()
        places = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        return tuple(self.named.get(place.name, _ANYTHING) for place in places)

    def hints(self) -> Iterator[tuple[str, Any]]:
        """Yield the annotations by name, also of what ``**options: Unpack[...]`` takes."""
        for name, hint in get_type_hints(_taking(self._function), include_extras=True).items():
            if get_origin(hint) is Unpack:
                (options,) = get_args(hint)
                known = get_origin(options) or options
                yield from get_type_hints(known, include_extras=True).items()
            else:
                yield name, hint


def _taking(call: Callable[..., Any]) -> FunctionType:
    """Return a function that takes what ``call`` does; what that returns may be imported late."""
    function: Any = call
    bare = FunctionType(function.__code__, function.__globals__, closure=function.__closure__)
    given = function.__annotations__.items()
    bare.__annotations__ = {name: hint for name, hint in given if name != "return"}
    return bare


_ANYTHING = Allowed(lambda _: True, "anything", "anything")


def _said_of(value: Any) -> str:
    """Return what a message may say: a name or number as it is, of all else what it is."""
    if value is None or isinstance(value, str | int | float):
        return shortly(value)
    cls = type(value)
    return brief(value) if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
