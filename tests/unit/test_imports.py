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


def needed(name: str, known: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield what a module imports: of a package, the module in it that is named."""
    for node in ast.walk(known[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _modules_of(_package(name, node), node.names, known)


def _package(name: str, node: ast.ImportFrom) -> str:
    """Return the package that `from ... import` names in the module `name`, in full."""
    if not node.level:
        return node.module or ""
    up = node.level - (ROOT / name.replace(".", "/")).is_dir()
    home = name.rsplit(".", up)[0] if up else name
    return f"{home}.{node.module}" if node.module else home


def _modules_of(
    package: str, names: list[ast.alias], known: Mapping[str, ast.Module]
) -> Iterator[str]:
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
    graph = {name: set(needed(name, known)) & known.keys() for name in known}
    assert "workers.settings" in graph["workers.backend"]
    TopologicalSorter(graph).prepare()


def test_a_name_is_that_of_one_type() -> None:
    where = defaultdict(list)
    for name, module in modules(*PACKAGES).items():
        for known in types_of(module):
            where[known].append(name)
    assert {known for known, names in where.items() if len(names) > 1} == SAME.keys()


def test_workers_import_themselves_relatively_and_all_else_is_named_in_full() -> None:
    """The package has another name in a process whose project has a `workers` of its own."""
    wrong = [
        f"{name}: {ast.unparse(node)}"
        for name, module in modules(*PACKAGES).items()
        for node in ast.walk(module)
        if _is_wrong(name, node)
    ]
    assert wrong == []


def _is_wrong(name: str, node: ast.AST) -> bool:
    """Whether an import is absolute inside of `workers`, or relative elsewhere."""
    if not isinstance(node, ast.ImportFrom):
        return isinstance(node, ast.Import) and any(_is_own(each.name) for each in node.names)
    if not name.startswith("workers"):
        return node.level > 0
    return node.level == 0 and _is_own(node.module or "")


def _is_own(module: str) -> bool:
    return module.partition(".")[0] == "workers"
