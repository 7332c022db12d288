"""Classes by their names, among what is imported already.

The rule to keep: looking one up runs no code. Access to an attribute may: a module's
``__getattr__``, a lazy module and a metaclass are free to import and run what a name asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_MEMBERS_OF_MODULE = vars(ModuleType)["__dict__"].__get__
_MEMBERS_OF_CLASS = vars(type)["__dict__"].__get__
_MOST_DOTS = 50
"""A longer path is no name of a class; each dot is one more place where a module may end."""
_MAIN = "__main__"
_MAINS = (_MAIN, "__mp_main__")
"""What a program's own module is called, and in processes that multiprocessing spawns."""


def class_at(path: str) -> type | None:
    """Return the class at ``module.qualname``, either of which may have dots, or None."""
    if path.count(".") > _MOST_DOTS:
        return None
    module, _, qualname = path.rpartition(".")
    while module:
        if (found := class_in(module, qualname)) is not None:
            return found
        module, _, outer = module.rpartition(".")
        qualname = f"{outer}.{qualname}"
    return None


def class_in(module: str, qualname: str) -> type | None:
    """Return the class of that name in a module, if this process has imported or runs it."""
    members = _members(module) or (_members(_MAIN) if module == _main_elsewhere() else {})
    found: type | None = None
    for name in qualname.split("."):
        member: Any = members.get(name)
        if not issubclass(type(member), type):
            return None
        found, members = member, _MEMBERS_OF_CLASS(member)
    return found


def module_of(cls: type) -> str:
    """Return the name by which other processes import the module of ``cls``.

    Of what this process runs as a program that is its own name, where it is certain.
    """
    named = cls.__module__
    return (_main_elsewhere() or named) if named in _MAINS else named


def _main_elsewhere() -> str:
    """Return what others call the module that runs here as ``__main__``, '' if that is uncertain.

    It is where this process has imported the module as well, and has all of it twice.
    """
    members = _members(_MAIN)
    spec, file = members.get("__spec__"), members.get("__file__")
    if isinstance(spec, ModuleSpec):
        name = spec.name
    else:
        name = _imported_as(file) if isinstance(file, str) else ""
    return "" if name in sys.modules else name


@cache
def _imported_as(file: str) -> str:
    """Return the module that a program's file is, in the packages that its folders are."""
    path = Path(file).absolute()
    parts = [path.stem]
    for folder in path.parents:
        if not (folder / "__init__.py").exists():
            break
        parts.insert(0, folder.name)
    is_module = path.suffix == ".py" and all(map(str.isidentifier, parts))
    return ".".join(parts) if is_module else ""


def _members(module: str) -> Mapping[str, Any]:
    """Return what a module has that is imported, nothing for any other."""
    place: Any = sys.modules.get(module)
    found: Mapping[str, Any] = {}
    if issubclass(type(place), ModuleType):
        found = _MEMBERS_OF_MODULE(place)
    return found
