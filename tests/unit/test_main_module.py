"""The module that runs as a program is known by the name under which others import it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from distgraph._loaded import class_at, class_in, module_of
from distgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from distgraph.core.failures import rebuild
from distgraph.core.recorded import errored, kind_of

SOURCE = """
from dataclasses import dataclass

@dataclass
class Parcel:
    weight: int

    class Inner: pass

class Lost(Exception): pass
"""


def module(name: str, file: str | None = None, spec: ModuleSpec | None = None) -> Any:
    """Return what ``SOURCE`` is when it is imported, or run, under that name."""
    made = ModuleType(name)
    sys.modules[name] = made  # where dataclass looks for it
    exec(SOURCE, vars(made))
    vars(made).update({"__spec__": spec} if file is None else {"__spec__": spec, "__file__": file})
    return made


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Put back what tests have in place of the program that runs them."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
    for name in ("__mp_main__", "orders"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("file", "spec", "name"),
    [
        ("/shop/orders.py", None, "orders"),
        ("/shop/orders.py", "shop.orders", "shop.orders"),
        ("/shop/__main__.py", "shop.__main__", "shop.__main__"),
        ("/shop/my-orders.py", None, "__main__"),
        ("/shop/bin/orders", None, "__main__"),
        ("/shop/__main__.py", "__main__", "__main__"),  # a folder, or an archive
        (None, None, "__main__"),  # a notebook, a prompt
    ],
)
@pytest.mark.parametrize("main", ["__main__", "__mp_main__"])
def test_what_others_call_it(main: str, file: str | None, spec: str | None, name: str) -> None:
    sys.modules["__main__"] = made = module(main, file, ModuleSpec(spec, None) if spec else None)
    assert module_of(made.Parcel) == (name if name != "__main__" else main)


def test_a_script_in_a_package_has_the_name_of_that(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "jobs"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()
    assert module_of(module("__main__", str(folder / "orders.py")).Parcel) == "shop.jobs.orders"


def test_a_module_that_is_loaded_twice_has_both_names() -> None:
    run, imported = module("__main__", "/shop/orders.py"), module("orders")
    assert (module_of(run.Parcel), module_of(imported.Parcel)) == ("__main__", "orders")
    both = JsonPlusSerializer(allowed=[run.Parcel, imported.Parcel])
    for made in (run, imported):
        assert both.loads(both.dumps(made.Parcel(2))) == made.Parcel(2)
    assert class_in("orders", "Parcel") is imported.Parcel


def test_its_classes_are_found_by_the_name_that_others_use() -> None:
    run = module("__main__", "/shop/orders.py")
    assert class_at("orders.Parcel.Inner") is run.Parcel.Inner
    assert class_at("orders.Parcel") is class_at("__main__.Parcel") is run.Parcel
    assert class_at("other.Parcel") is None


def test_what_one_process_stores_the_other_reads_as_its_own() -> None:
    run = module("__main__", "/shop/orders.py")
    program = JsonPlusSerializer(allowed=[run.Parcel])
    sent, failed = program.dumps(run.Parcel(2)), errored(run.Lost("gone"))
    del sys.modules["__main__"]
    imported = module("orders")
    worker = JsonPlusSerializer(allowed=[imported.Parcel])
    assert worker.loads(sent) == imported.Parcel(2)
    assert worker.dumps(imported.Parcel(2)) == sent
    assert kind_of(imported.Lost()) == failed.kind == "orders.Lost"
    del sys.modules["orders"]
    sys.modules["__main__"] = run
    assert program.loads(sent) == run.Parcel(2)
    assert type(rebuild(failed)) is run.Lost


def test_a_program_that_is_no_module_has_no_classes() -> None:
    sys.modules["__main__"] = object()  # type: ignore[assignment]
    assert class_at("orders.Parcel") is None
    assert module_of(type("Made", (), {"__module__": "__main__"})) == "__main__"
