"""What one Python file contains, counted from its bytes; a pure function of them."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

HEADER_BYTES = 1_000
GENERATED = re.compile(rb"auto-?generated|generated (by|from)|do not edit", re.IGNORECASE)

# Warning filters belong to the whole process; two threads that swap them at once would restore
# them in the wrong order. Parsing holds the interpreter's lock anyway.
_FILTERS = threading.Lock()


class LongestFunction(TypedDict):
    """The longest function of one file: qualified name, first line, length in lines."""

    name: str
    line: int
    length: int


class Parsed(TypedDict):
    """The counts of one file; `path` is relative to the root, `imports` are top-level modules.

    `code` counts the lines that are neither blank nor part of a docstring and do not begin with a
    comment sign; `undocumented` the public functions, classes and methods without a docstring.
    """

    path: str
    lines: int
    code: int
    functions: int
    async_functions: int
    classes: int
    undocumented: int
    generated: bool
    longest: LongestFunction | None
    imports: list[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A function or class: its node, its qualified name, whether users of the module see it."""

    node: Definition
    name: str
    public: bool


def parse_source(path: str, source: bytes) -> Parsed:
    """Count what `source` holds. Raises SyntaxError, ValueError, RecursionError or MemoryError."""
    tree = parse_quietly(source)
    statements = list(walk_statements(tree))
    found = [statement for statement in statements if isinstance(statement, Found)]
    functions = [item for item in found if isinstance(item.node, FUNCTIONS)]
    lines = source.removeprefix(BOM_UTF8).splitlines()
    return Parsed(
        path=path,
        lines=len(lines),
        code=count_code(lines, docstring_lines([tree, *(item.node for item in found)])),
        functions=sum(isinstance(item.node, ast.FunctionDef) for item in found),
        async_functions=sum(isinstance(item.node, ast.AsyncFunctionDef) for item in found),
        classes=len(found) - len(functions),
        undocumented=sum(item.public and ast.get_docstring(item.node) is None for item in found),
        generated=GENERATED.search(source[:HEADER_BYTES]) is not None,
        longest=longest_function(functions),
        imports=sorted({name for node in statements for name in imported_modules(node)}),
    )


def parse_quietly(source: bytes) -> ast.Module:
    """Parse, without the warnings about doubtful escapes that old sources are full of."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def walk_statements(tree: ast.Module) -> Iterator[Found | ast.stmt]:
    """Yield every statement once, in no particular order; definitions come as `Found`.

    Expressions hold no definitions, so they are not entered. The stack is a list, because deeply
    nested source would exhaust the interpreter's own.
    """
    stack: list[tuple[ast.AST, str, bool]] = [(tree, "", True)]
    while stack:
        parent, prefix, public = stack.pop()
        for node in inner_statements(parent):
            if isinstance(node, DEFINITIONS):
                found = Found(node, prefix + node.name, public and not node.name.startswith("_"))
                yield found
                # What a function defines inside itself is nobody else's to see.
                inner_public = found.public and isinstance(node, ast.ClassDef)
                stack.append((node, found.name + ".", inner_public))
            else:
                if isinstance(node, ast.stmt):
                    yield node
                stack.append((node, prefix, public))


def inner_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements, exception handlers and match cases directly below `node`."""
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        children = getattr(node, field, None)
        # A conditional expression and a lambda have a body as well, but no list of statements.
        if isinstance(children, list):
            yield from children


def imported_modules(node: Found | ast.stmt) -> list[str]:
    """Return the top-level modules that a statement imports; relative imports name none."""
    match node:
        case ast.Import(names=names):
            return [alias.name.partition(".")[0] for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module.partition(".")[0]]
        case _:
            return []


def longest_function(functions: list[Found]) -> LongestFunction | None:
    """Return the longest function, the first of equals; None if there is none."""
    sizes = [(length_of(item.node), -item.node.lineno, item.name) for item in functions]
    if not sizes:
        return None
    length, line, name = max(sizes)
    return LongestFunction(name=name, line=-line, length=length)


def length_of(node: Definition) -> int:
    """Return the number of lines from the `def` line to the last, decorators left out."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def docstring_lines(nodes: list[ast.Module | Definition]) -> set[int]:
    """Return the numbers (from 1) of the lines that hold nothing but docstring."""
    numbers: set[int] = set()
    for node in nodes:
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
            shared = first.lineno == getattr(node, "lineno", None)
            numbers.update(range(first.lineno + shared, (first.end_lineno or first.lineno) + 1))
    return numbers


def count_code(lines: list[bytes], docstrings: set[int]) -> int:
    """Count the lines that are not blank, do not begin with `#` and are no docstring."""
    stripped = enumerate((line.strip() for line in lines), start=1)
    return sum(
        bool(line) and not line.startswith(b"#") and number not in docstrings
        for number, line in stripped
    )
