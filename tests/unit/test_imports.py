"""No module needs, by any way, one that needs it; no two types have the same name.

Read from the source, so that imports for type checkers and inside functions count too.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("distgraph", "workers", "checkpoint_redis")
SAME = {
    "Checkpoint": "LangGraph's dict of a checkpoint, as savers have it; the core's own record",
}


def modules(*packages: str) -> Mapping[str, ast.Module]:
    return {
        _name(path): ast.parse(path.read_text(encoding="utf-8"))
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def needed(module: ast.Module, known: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield what a module imports: of a package, the module in it that is named."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(package, names, level=0) if package is not None:
                for alias in names:
                    inner = f"{package}.{alias.name}"
                    yield inner if inner in known else package


def types_of(module: ast.Module) -> Iterator[str]:
    """Yield the names of a module's classes and type aliases."""
    for node in module.body:
        match node:
            case ast.ClassDef(name):
                yield name
            case ast.Assign([ast.Name(name)], ast.expr() as value) | ast.AnnAssign(
                ast.Name(name), _, ast.expr() as value
            ) if _is_alias(name, value):
                yield name


def _is_alias(name: str, value: ast.expr) -> bool:
    """Whether a type gets a name: constants have capitals alone, TypeVars are made by a call."""
    bare = name.lstrip("_")
    typed = isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp)
    return typed and bare[:1].isupper() and not (bare.isupper() and len(bare) > 1)


def test_no_module_needs_itself_in_a_circle() -> None:
    known = modules(*PACKAGES)
    graph = {name: set(needed(module, known)) & known.keys() for name, module in known.items()}
    TopologicalSorter(graph).prepare()


def test_a_name_is_that_of_one_type() -> None:
    where = defaultdict(list)
    for name, module in modules(*PACKAGES).items():
        for known in types_of(module):
            where[known].append(name)
    assert {known for known, names in where.items() if len(names) > 1} == SAME.keys()


def test_every_import_names_its_module_in_full() -> None:
    relative = [
        name
        for name, module in modules(*PACKAGES).items()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
