"""Classes by their names, among what is imported already.

The rule to keep: looking one up runs no code. Access to an attribute may: a module's
``__getattr__``, a lazy module and a metaclass are free to import and run what a name asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

_MEMBERS_OF_MODULE = vars(ModuleType)["__dict__"].__get__
_MEMBERS_OF_CLASS = vars(type)["__dict__"].__get__
_MOST_DOTS = 50
"""A longer path is no name of a class; each dot is one more place where a module may end."""


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
    """Return the class of that name in a module, if this process has imported the module."""
    place: Any = sys.modules.get(module)
    if not issubclass(type(place), ModuleType):
        return None
    members: Mapping[str, Any] = _MEMBERS_OF_MODULE(place)
    found: type | None = None
    for name in qualname.split("."):
        member: Any = members.get(name)
        if not issubclass(type(member), type):
            return None
        found, members = member, _MEMBERS_OF_CLASS(member)
    return found
