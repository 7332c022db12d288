"""What the pages of the site say is true: their programs run, their lists are whole."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import TypeVar

import pytest
import yaml

from tests.support.pages import file_of, programs
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer
from workers.worker.telling import Subject

Load = Callable[[str], ModuleType]
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text() for path in sorted(DOCS.rglob("*.md"))}
SHOWN = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
PUBLIC = [
    "distgraph.channels",
    "distgraph.config",
    "distgraph.errors",
    "distgraph.func",
    "distgraph.graph",
    "distgraph.prebuilt",
    "distgraph.runtime",
    "distgraph.types",
    "workers",
]
NOT_SHOWN = {
    *("START", "END", "MISSING"),  # values, told in words
    *("All", "Durability", "StreamMode", "StreamWriter", "RetryOn"),  # names of types
}


@pytest.mark.celery
@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if programs(text, "")])
def test_the_programs_of_a_page_run_in_their_order(
    page: str,
    load: Load,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Modules among them are imported, and those with a backend have a worker from there on."""
    monkeypatch.syspath_prepend(tmp_path)
    known: dict[str, object] = {"__name__": "page"}
    with ExitStack() as workers:
        for program in programs(PAGES[page], redis_server.url):
            if (name := file_of(program)) is None:
                exec(compile(program, page, "exec", dont_inherit=True), known)
                continue
            (tmp_path / f"{name}.py").write_text(program)
            if backend := getattr(load(name), "backend", None):
                workers.enter_context(backend.worker())


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md", yaml.safe_dump(_navigation()))
    assert sorted(listed) == sorted(PAGES)


def _navigation() -> object:
    text = (ROOT / "mkdocs.yml").read_text()
    return yaml.safe_load(text)["nav"]


def test_what_the_reference_shows_exists_and_says_what_it_is() -> None:
    for name in _shown():
        assert inspect.getdoc(resolve_name(name)), name


def _shown() -> set[str]:
    return {name for text in PAGES.values() for name in SHOWN.findall(text)}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    shown = _shown()
    if module in shown:
        return
    names = {name.rpartition(".")[2] for name in shown}
    assert set(_public(import_module(module))) - NOT_SHOWN <= names


def _public(module: ModuleType) -> list[str]:
    """Return what a module offers: ``__all__``, or what it defines itself."""
    here = (n for n, value in vars(module).items() if _is_made_in(module, value))
    return list(getattr(module, "__all__", here))


def _is_made_in(module: ModuleType, value: object) -> bool:
    if isinstance(value, TypeVar) or getattr(value, "__module__", "") != module.__name__:
        return False
    return not getattr(value, "__name__", "_").startswith("_")


def test_the_fields_of_log_records_are_all_told() -> None:
    table, _, _ = PAGES["reference/logs.md"].partition("| outcome |")
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    fields = [field.name for field in dataclasses.fields(Subject)]
    assert rows == [*fields, "outcome", "error", "retry_in"]
