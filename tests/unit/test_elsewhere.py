"""Who imports a module of LangGraph's that is not here is told what to use in its place."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

import langgraph
import langgraph.constants as theirs
import pytest

from distgraph import _elsewhere, constants

NOT_PACKAGES = ("store.base",)
"""Modules here, packages there: what is in them is found in them."""
ITS_TESTS = "checkpoint.conformance"
"""A distribution of its own, for who writes a saver."""
TEXT = "distgraph has no module 'distgraph.{}' as LangGraph has: {}."
EXTRA = ("checkpoint.postgres.aio", "checkpoint.redis", "store.postgres", "stream.run_stream")


def _modules() -> list[str]:
    """The public modules of the LangGraph that is installed, by their names inside of it."""
    found = set(EXTRA)
    for root in map(Path, langgraph.__path__):
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and not any(part.startswith("_") for part in parts):
                found.add(".".join(parts))
    return sorted(name for name in found if not name.startswith(f"{ITS_TESTS}."))


@pytest.mark.parametrize("name", _modules())
def test_a_module_of_langgraphs_is_here_or_explained(name: str) -> None:
    if name.startswith(tuple(f"{each}." for each in NOT_PACKAGES)):
        name = name.rpartition(".")[0]
    told = _refusal(name)
    around = [name.rsplit(".", up)[0] for up in range(name.count(".") + 1)]
    texts = [TEXT.format(each, _elsewhere.instead_of(each)) for each in around]
    assert told in ("", *texts)


def _refusal(name: str) -> str:
    """Return what an import of a module says, '' where it is here."""
    try:
        importlib.import_module(f"distgraph.{name}")
    except ModuleNotFoundError as error:
        return str(error)
    return ""


def _names() -> list[str]:
    """The public names that modules of LangGraph define, in those that are here too."""
    found = []
    for name in _modules():
        if not name.startswith((ITS_TESTS, "store.base.")) and not _refusal(name):
            found_there = importlib.import_module(f"langgraph.{name}")
            found += [f"{name}.{one}" for one in _defined(found_there)]
    return found


def _defined(module: Any) -> list[str]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    own = ((name, it) for name, it in vars(module).items() if not name.startswith("_"))
    return sorted(
        name
        for name, it in own
        if getattr(it, "__module__", None) == module.__name__ and not isinstance(it, TypeVar)
    )


def test_a_name_of_langgraphs_is_here_or_explained() -> None:
    assert [path for path in _names() if not _is_known(path)] == []


def _is_known(path: str) -> bool:
    module, _, name = path.rpartition(".")
    here = importlib.import_module(f"distgraph.{module}")
    return path in _elsewhere.NAMES or hasattr(here, name)


@pytest.mark.parametrize("path", sorted(_elsewhere.NAMES))
def test_what_is_explained_is_not_here(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert name not in vars(importlib.import_module(f"distgraph.{module}"))
    told = f"distgraph.{module} has no {name} as LangGraph has: {_elsewhere.NAMES[path]}."
    with pytest.raises(ImportError, match=re.escape(told)):
        exec(f"from distgraph.{module} import {name}")


@pytest.mark.parametrize("path", sorted(_elsewhere.NAMES))
def test_who_looks_into_a_module_finds_no_such_name(path: str) -> None:
    module, _, name = path.rpartition(".")
    here = importlib.import_module(f"distgraph.{module}")
    assert not hasattr(here, name)
    with pytest.raises(AttributeError, match=re.escape(_elsewhere.NAMES[path])):
        getattr(here, name)


def test_a_name_that_nobody_has_is_none() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from distgraph.types import nothing")
    assert not hasattr(importlib.import_module("distgraph.graph"), "nothing")


def test_tags_are_named_as_there() -> None:
    for name in ("CONF", "TAG_HIDDEN", "TAG_NOSTREAM"):
        assert getattr(constants, name) == getattr(theirs, name)


def test_what_nobody_has_is_not_explained() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'distgraph.nothing'$"):
        importlib.import_module("distgraph.nothing")
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'nothing'$"):
        importlib.import_module("nothing")


def test_an_import_tells_it_in_a_program_and_is_caught_as_any_that_fails() -> None:
    program = "try:\n import distgraph.stream\nexcept ImportError as error:\n print(error)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("distgraph has no module 'distgraph.stream' as LangGraph has: ")
    assert "stream_mode=[...]" in told.stdout


def test_what_explains_is_there_once() -> None:
    _elsewhere.explain()
    assert sum(isinstance(finder, _elsewhere._Explains) for finder in sys.meta_path) == 1
