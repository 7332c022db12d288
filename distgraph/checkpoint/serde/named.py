"""The closed list of classes that may be stored, as LangGraph's programs write it down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from distgraph._arguments import shortly
from distgraph._loaded import class_in

_ANY = (
    "{0}=True would restore whatever class the stored bytes name, which is not done here. Name the "
    "classes: {0}=[MyClass], or in the state schema, or by types= of the saver."
)
_PICKLE = (
    "pickle_fallback=True is not there: who can write to the storage could run code in every "
    "process that reads it. Store dataclasses, pydantic models, NamedTuples and Enums, named in "
    "the state schema or by JsonPlusSerializer(allowed=[...])."
)


def classes_named(argument: str, given: Any) -> tuple[type, ...]:
    """Return the classes that ``given`` lists: each itself, or the names of a module and of it.

    The modules are imported: the program names them, not what is stored. Raises ValueError for
    True, which names none, and for a class that is not there; TypeError for what names no class.
    """
    if given is True:
        raise ValueError(_ANY.format(argument))
    if given is None or given is False:
        return ()
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise _unnamed(argument, given)
    return tuple(_classes(argument, given))


def _classes(argument: str, given: Iterable[Any]) -> Iterator[type]:
    for entry in given:
        match entry:
            case type():
                yield entry
            case (str(), str(), *more) if all(isinstance(part, str) for part in more):
                *modules, name = entry
                yield _class_at(".".join(modules), name)
            case _:
                raise _unnamed(argument, entry)


def _class_at(module: str, name: str) -> type:
    import_module(module)
    found = class_in(module, name)
    if found is None:
        msg = f"Module '{module}' has no class '{name}'."
        raise ValueError(msg)
    return found


def _unnamed(argument: str, given: Any) -> TypeError:
    return TypeError(
        f"{argument} lists classes, or pairs such as ('my_app.models', 'Order'), not "
        f"{shortly(given)}."
    )


def refuse_pickle(pickle_fallback: Any) -> None:
    """Raise ValueError for who wants pickles."""
    if pickle_fallback:
        raise ValueError(_PICKLE)
