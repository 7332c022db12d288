"""The package ``workers``, of which a process has one copy, under one of two names.

It is ``workers`` where that name means distgraph's package. Where a project's own package or module
comes first on the path, it is ``distgraph.celery`` instead; its code imports itself relatively.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

NAME, SECOND = "workers", "distgraph.celery"
FILE = Path(__file__).resolve().parents[1] / NAME / "__init__.py"
HAS_ITS_OWN = (
    "This project has a `workers` of its own ({}), which is found instead of distgraph's: write "
    "`from distgraph.celery import CeleryBackend`."
)
IS_OURS = (
    "`workers` is distgraph's package here. In a project that has a `workers` of its own, import "
    "CeleryBackend from distgraph.celery alone, and start with the project's folder on the path."
)
ONE_COPY = (
    "distgraph's package `workers` was loaded as `distgraph.celery`, since another `workers` was "
    "found before, and a process has one copy of it: import from distgraph.celery everywhere."
)


def opened(first: Sequence[str] = ()) -> ModuleType:
    """Return the package, imported; it is found as `distgraph.celery` in either case.

    ``first``: folders in which a project's own is looked for before the path.
    """
    if is_ours(_origin(first)):
        found = importlib.import_module(NAME)
        if not any(isinstance(finder, _SameModules) for finder in sys.meta_path):
            sys.meta_path.insert(0, _SameModules())
        sys.modules[SECOND] = found
        return found
    return _loaded_apart()


def is_ours(origin: str | None) -> bool:
    """Whether ``origin``, the file of a module, is that of distgraph's package."""
    return origin is not None and Path(origin).resolve() == FILE


def refuse_second(name: str) -> None:
    """Raise ImportError when the package, called ``name``, is there by its other name already."""
    other = sys.modules.get(SECOND)
    if name == NAME and hasattr(other, "__path__") and other is not sys.modules.get(NAME):
        raise ImportError(ONE_COPY, name=NAME)


def advice(error: ImportError) -> str:
    """Return what to do when ``error`` comes from the name ``workers`` that two packages have."""
    if (error.name or "").partition(".")[0] != NAME:
        return ""
    origin = _origin(())
    return IS_OURS if is_ours(origin) else HAS_ITS_OWN.format(origin)


def _origin(first: Sequence[str]) -> str | None:
    """Return the file that the name ``workers`` means; a folder without one may mean any."""
    if (known := sys.modules.get(NAME)) is not None:
        return getattr(known, "__file__", None)
    spec = PathFinder.find_spec(NAME, list(first))
    if spec is None or spec.origin is None:
        spec = importlib.util.find_spec(NAME)
    return None if spec is None else spec.origin


def _loaded_apart() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        SECOND, FILE, submodule_search_locations=[str(FILE.parent)]
    )
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[SECOND] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class _SameModules(MetaPathFinder, Loader):
    """Finds each module ``distgraph.celery.x`` as the module ``workers.x``, which it is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname.startswith(f"{SECOND}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        found = importlib.import_module(NAME + spec.name.removeprefix(SECOND))
        spec.loader_state = found.__spec__
        return found

    def exec_module(self, module: ModuleType) -> None:
        """Give the module back what it says of itself, which the import system has replaced."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state
