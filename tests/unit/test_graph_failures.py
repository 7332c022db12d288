"""The exception that a caller gets of what a worker recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from distgraph.core.failures import rebuild
from distgraph.core.model import Errored
from distgraph.errors import RemoteNodeError


def recorded(error: Exception) -> Errored:
    """Return what is stored of `error`."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return Errored(kind, str(error), args=error.args)


def test_a_file_that_is_missing_is_still_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "report").read_text()
    made = rebuild(recorded(caught.value))
    assert isinstance(made, FileNotFoundError)
    assert made.errno == caught.value.errno
    assert str(tmp_path / "report") in "\n".join([str(made), *made.__notes__])


def test_an_error_that_says_all_by_itself_has_no_further_note() -> None:
    made = rebuild(recorded(ValueError("out of cheese")))
    assert (type(made), made.args) == (ValueError, ("out of cheese",))
    assert not [note for note in getattr(made, "__notes__", ()) if "cheese" in note]


def test_what_cannot_be_made_arrives_as_a_remote_error() -> None:
    made = rebuild(Errored("nowhere.Unknown", "out of cheese"))
    assert isinstance(made, RemoteNodeError)
    assert str(made) == "nowhere.Unknown: out of cheese"


class Outer:
    class Inner(Exception):
        """Nested in a class."""


def test_a_nested_class_is_found_by_its_qualname() -> None:
    made = rebuild(recorded(Outer.Inner("deep")))
    assert (type(made), made.args) == (Outer.Inner, ("deep",))


def touched(_: object, name: str) -> object:
    raise AssertionError(name)


def planted(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    monkeypatch.setitem(sys.modules, "planted", module)


def test_the_hook_of_a_module_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    module = ModuleType("planted")
    module.__dict__["__getattr__"] = asked.append
    planted(monkeypatch, module)
    made = rebuild(Errored("planted.Anything", "out of cheese"))
    assert (type(made), asked) == (RemoteNodeError, [])


def test_a_module_that_loads_when_it_is_touched_is_not_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lazy = type("Lazy", (ModuleType,), {"__getattribute__": touched})
    planted(monkeypatch, lazy("planted"))
    assert type(rebuild(Errored("planted.Anything", "out of cheese"))) is RemoteNodeError


def test_the_hooks_of_a_class_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    meta = type("Meta", (type,), {"__getattribute__": touched})
    module = ModuleType("planted")
    module.__dict__["Asked"] = meta("Asked", (), {})
    planted(monkeypatch, module)
    for name in ("Asked", "Asked.Anything"):
        assert type(rebuild(Errored(f"planted.{name}", "out of cheese"))) is RemoteNodeError


def test_what_is_no_class_of_exceptions_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("planted")
    module.__dict__.update(function=print, module=sys, cls=dict, exits=SystemExit)
    planted(monkeypatch, module)
    monkeypatch.setitem(sys.modules, "no_module", object())
    for kind in (
        "planted.function",
        "planted.module.exit",
        "planted.cls",
        "planted.exits",
        "planted.nothing",
        "no_module.Any",
        "nothing",
        "",
        ".",
        "planted." * 100_000,
    ):
        assert type(rebuild(Errored(kind, "out of cheese"))) is RemoteNodeError
