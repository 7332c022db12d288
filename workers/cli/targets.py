"""What a TARGET names: a graph or a backend in a module, and the backend that serves it."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from distgraph import _doors
from distgraph.graph.compiled import Pregel

from ..backend import CeleryBackend
from .exits import CommandError, Exit
from .values import read_json


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to connect to, as far as the command line says so."""

    redis: str | None = None
    broker: str | None = None
    namespace: str | None = None
    broker_options: str | None = None

    @property
    def given(self) -> bool:
        """Whether the command line says anything."""
        return any((self.redis, self.broker, self.namespace, self.broker_options))

    def backend(self) -> CeleryBackend:
        """Return a backend; what is not given comes from DISTGRAPH_* or the defaults."""
        told = self.broker_options
        options = {"broker_options": read_json("--broker-options", told)} if told else {}
        place: dict[str, Any] = {"broker": self.broker, "namespace": self.namespace}
        try:
            return CeleryBackend(self.redis, **place, **options)
        except ValidationError:
            raise
        except ValueError as wrong:  # what only shows when all settings are there
            raise CommandError(f"Wrong settings: {wrong}", Exit.USAGE) from wrong


def backend_of(target: str | None, connection: Connection) -> CeleryBackend:
    """Return the backend of ``target``, or of the connection alone where there is none."""
    return connection.backend() if target is None else serving([target], connection)


def graph_of(target: str, connection: Connection) -> Pregel:
    """Return the graph that ``target`` names, on a backend: its own unless one is given."""
    found = compiled(target)
    if isinstance(found.backend, CeleryBackend) and not connection.given:
        return found
    return _placed(target, found, connection.backend())


def compiled(target: str) -> Pregel:
    """Return the graph that ``target`` names; CommandError for what is none."""
    found = load(target)
    if not isinstance(found, Pregel):
        raise CommandError(f"{target} is {_kind(found)}, not a compiled graph.", Exit.USAGE)
    return found


def serving(targets: Sequence[str], connection: Connection) -> CeleryBackend:
    """Return one backend that knows the graphs of all targets."""
    loaded = {target: load(target) for target in targets}
    backend = connection.backend() if connection.given else _first(loaded.values(), connection)
    for target, found in loaded.items():
        if isinstance(found, Pregel):
            _add(target, found, backend, moved=connection.given)
        elif found is not backend:
            raise CommandError(
                f"{target} is a backend of its own. Name its graphs instead of it, so that they "
                "can be served together with others, or elsewhere.",
                Exit.USAGE,
            )
    return backend


def _first(found: Any, connection: Connection) -> CeleryBackend:
    for each in found:
        backend = each.backend if isinstance(each, Pregel) else each
        if isinstance(backend, CeleryBackend):
            return backend
    return connection.backend()


def _add(target: str, graph: Pregel, backend: CeleryBackend, *, moved: bool) -> None:
    own = graph.backend
    if own is backend:
        return
    if isinstance(own, CeleryBackend) and not moved and _place(own) != _place(backend):
        raise CommandError(
            f"{target} has its threads elsewhere than the other targets: one worker serves one "
            "Redis, broker and namespace. Start a worker for each, or give --redis for all.",
            Exit.USAGE,
        )
    _placed(target, graph, backend)


def _placed(target: str, graph: Pregel, backend: CeleryBackend) -> Pregel:
    try:
        return graph.on(backend)
    except ValueError as clash:
        raise CommandError(f"{target} cannot be served: {clash}", Exit.USAGE) from clash


def _place(backend: CeleryBackend) -> tuple[object, ...]:
    told = backend.settings
    broker = told.broker or told.redis
    return told.store, broker, told.broker_options, told.namespace


def load(target: str) -> Pregel | CeleryBackend:
    """Import what ``module:attribute`` names, also from the current folder.

    Raises CommandError that says which part of it is wrong.
    """
    module, _, attribute = target.partition(":")
    names = (*module.split("."), *attribute.split("."))
    if not all(names):
        raise CommandError(f"{target!r} is no target: write module:attribute.", Exit.USAGE)
    found: Any = _import(module)
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise CommandError(f"Module {module} has no attribute {attribute!r}.", Exit.USAGE)
        found = getattr(found, name)
    if not isinstance(found, Pregel | CeleryBackend):
        raise CommandError(
            f"{target} is {_kind(found)}, neither a compiled graph nor a CeleryBackend.", Exit.USAGE
        )
    return found


def _kind(found: object) -> str:
    return f"of type {type(found).__name__}"


def _import(module: str) -> Any:
    here = os.getcwd()  # noqa: PTH109 sys.path holds strings
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name and (module == missing.name or module.startswith(f"{missing.name}.")):
            raise CommandError(
                f"There is no module {module}, neither in {here} nor among the installed ones.",
                Exit.USAGE,
            ) from missing
        raise _broken(module, missing) from missing
    except Exception as error:
        raise _broken(module, error) from error


def _broken(module: str, error: Exception) -> CommandError:
    beyond_import = traceback.extract_tb(error.__traceback__)[2:]
    frames = (f for f in reversed(beyond_import) if not f.filename.startswith("<frozen "))
    where = next((f" ({f.filename}:{f.lineno})" for f in frames), "")
    what = f"{type(error).__name__}: {error}"
    said = f"Importing {module} failed: {what}{where}"
    advice = _doors.advice(error) if isinstance(error, ImportError) else ""
    return CommandError(f"{said}. {advice}" if advice else said, Exit.USAGE)
